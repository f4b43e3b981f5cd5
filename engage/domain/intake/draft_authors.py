"""Which phone gave an answer, in the one draft of a household: whoever has its access code may go on with the draft and
answer anew, but a phone reads only what was answered on it.

A phone is told by its reply code in the wave, under which it also reads the school's answers."""

from collections.abc import Collection
from dataclasses import replace

from engage.domain.intake.draft_encryption import SEEN, DraftContent, add_page
from engage.domain.intake.form_data import MARKER, Raw

PAGE = "~page "  # before a page's number, among the authors: the phones that have sent the page


def add_phone_answers(
    draft: DraftContent, sent: Raw, keys: Collection[str], page: int, finished: bool, phone: str
) -> DraftContent:
    """A household's draft after a phone sent a page. What it answers replaces what was there. A question that it leaves
    blank keeps another phone's answer, which it cannot see."""
    answered = {name.removesuffix(MARKER) for name in sent}
    emptied = {key for key in keys if key not in answered and draft.authors.get(key) == [phone]}
    raw = {name: values for name, values in draft.raw.items() if name.removesuffix(MARKER) not in answered | emptied}
    mark = f"{PAGE}{page}"
    senders = {mark: sorted({*draft.authors.get(mark, ()), phone})}
    authors = {name: who for name, who in draft.authors.items() if name not in emptied}
    changed = replace(draft, authors=authors | {key: [phone] for key in sorted(answered)} | senders)
    return add_page(changed, {**raw, **sent}, page if finished else None)


def remove_phone(draft: DraftContent, phone: str) -> DraftContent:
    """A household's draft without what one phone answered; a page is unsent again that no other phone has sent."""
    only_here = {name for name, who in draft.authors.items() if who == [phone]}
    pages = {name.removeprefix(PAGE) for name in only_here if name.startswith(PAGE)}
    raw = {
        name: values
        for name, values in draft.raw.items()
        if name.removesuffix(MARKER) not in only_here and name != SEEN
    }
    authors = {
        name: [one for one in who if one != phone] for name, who in draft.authors.items() if name not in only_here
    }
    seen = [number for number in draft.raw.get(SEEN, ()) if number not in pages]
    return replace(draft, raw=raw | ({SEEN: seen} if seen else {}), authors=authors)


def merge_drafts(draft: DraftContent, old: DraftContent) -> DraftContent:
    """A household's draft with what an older one of it adds: answers to what is blank, and pages sent."""
    raw = {name: values for name, values in old.raw.items() if name.removesuffix(MARKER) not in draft.authors}
    sent = draft.seen | old.seen
    seen = {SEEN: [str(number) for number in sorted(sent)]} if sent else {}
    authors = {name: sorted({*who, *draft.authors.get(name, ())}) for name, who in old.authors.items() if PAGE in name}
    return replace(draft, raw={**raw, **draft.raw, **seen}, authors={**old.authors, **draft.authors, **authors})


def answers_of_phone(draft: DraftContent, phone: str) -> dict[str, list[str]]:
    """The raw answers that a phone may see: its own."""
    return {
        name: values
        for name, values in draft.raw.items()
        if name == SEEN or draft.authors.get(name.removesuffix(MARKER)) == [phone]
    }


def has_answered(draft: DraftContent, phone: str) -> bool:
    """Whether a phone has sent anything."""
    return any(phone in who for who in draft.authors.values())


def is_sent_by_other_phone(draft: DraftContent, phone: str, page: int, keys: Collection[str]) -> bool:
    """Whether another phone has sent this page, and an answer of it may be kept."""
    others = set(draft.authors.get(f"{PAGE}{page}", ())) - {phone}
    return bool(others) and any(draft.authors.get(key) != [phone] for key in keys)
