"""Authors of answers in a draft that several phones of a household share.

Anyone with the household's access code may continue the draft and change answers, but sees only what was answered on
the same phone (any device with a browser). A phone is identified by its reply code in the wave.
"""

from collections.abc import Collection
from dataclasses import replace

from engage.domain.intake.draft_encryption import SEEN, DraftContent, add_page
from engage.domain.intake.form_data import MARKER, Raw

PAGE = "~page "  # prefix of a page's number among the authors; the value lists the phones that sent the page


def add_phone_answers(
    draft: DraftContent, sent: Raw, keys: Collection[str], page: int, finished: bool, phone: str
) -> DraftContent:
    """Return a household's draft after a phone sent a page.

    Its answers replace earlier ones. A question it leaves blank keeps the answer of another phone, which it cannot see.
    """
    answered = {name.removesuffix(MARKER) for name in sent}
    emptied = {key for key in keys if key not in answered and draft.authors.get(key) == [phone]}
    raw = {name: values for name, values in draft.raw.items() if name.removesuffix(MARKER) not in answered | emptied}
    mark = f"{PAGE}{page}"
    senders = {mark: sorted({*draft.authors.get(mark, ()), phone})}
    authors = {name: who for name, who in draft.authors.items() if name not in emptied}
    changed = replace(draft, authors=authors | {key: [phone] for key in sorted(answered)} | senders)
    return add_page(changed, {**raw, **sent}, page if finished else None)


def remove_phone(draft: DraftContent, phone: str) -> DraftContent:
    """Return a household's draft without the answers of one phone. A page that no other phone sent counts as not
    sent."""
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
    """Return a household's draft, with answers from an older draft where it has blanks, and with the pages sent in
    either."""
    raw = {name: values for name, values in old.raw.items() if name.removesuffix(MARKER) not in draft.authors}
    sent = draft.seen | old.seen
    seen = {SEEN: [str(number) for number in sorted(sent)]} if sent else {}
    authors = {name: sorted({*who, *draft.authors.get(name, ())}) for name, who in old.authors.items() if PAGE in name}
    return replace(draft, raw={**raw, **draft.raw, **seen}, authors={**old.authors, **draft.authors, **authors})


def answers_of_phone(draft: DraftContent, phone: str) -> dict[str, list[str]]:
    """Return the raw answers that a phone may see, which are its own."""
    return {
        name: values
        for name, values in draft.raw.items()
        if name == SEEN or draft.authors.get(name.removesuffix(MARKER)) == [phone]
    }


def has_answered(draft: DraftContent, phone: str) -> bool:
    """Whether a phone has sent anything."""
    return any(phone in who for who in draft.authors.values())


def is_sent_by_other_phone(draft: DraftContent, phone: str, page: int, keys: Collection[str]) -> bool:
    """Whether another phone has sent this page and may have an answer on it."""
    others = set(draft.authors.get(f"{PAGE}{page}", ())) - {phone}
    return bool(others) and any(draft.authors.get(key) != [phone] for key in keys)
