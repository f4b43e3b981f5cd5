"""What a draft holds, sealed: only the family's phone and this site together can make the key that opens it
(AES-256-GCM, NIST SP 800-38D; the nonce is random, and each key seals one draft only).

In a confidential wave with access codes all phones of a household write into one draft, sealed under a key that the
site makes from the code. Each phone then has a row of its own that holds no answers, only the way to that draft."""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engage.domain.intake.form_data import Raw, serialize_draft

DRAFT_KEY = "drafts"  # the site's secret for this purpose: `runtime().secret(DRAFT_KEY)`
HOUSEHOLD_KEY = "drafts of households"  # the site's secret for drafts that are found by an access code
NONCE = 12  # bytes
SEEN = "~seen"  # among the raw answers: the numbers of the pages sent; no slot key starts with "~"


@dataclass(frozen=True, slots=True)
class DraftKeys:
    """Where a phone's draft lies (`key`, 32 bytes, stored) and what opens it (`lock`, 32 bytes, never stored)."""

    key: bytes
    lock: bytes


@dataclass(frozen=True, slots=True)
class DraftContent:
    """A draft opened. `invitation` is the digest of the access code it was begun with, if any; `spent` what the code
    leaves behind when it is used, in an anonymous wave; `seen` the pages sent so far.

    Only in a household's draft: `authors` says by slot key which phone's answer is kept, and by page which phones have
    sent it (domain/intake/draft_authors.py). Only in a phone's row without answers: `shared` is the household's
    draft."""

    school_id: str
    invitation: str | None
    spent: str | None
    raw: dict[str, list[str]]
    authors: dict[str, list[str]] = field(default_factory=dict)
    shared: DraftKeys | None = None

    @property
    def seen(self) -> frozenset[int]:
        return frozenset(int(number) for number in self.raw.get(SEEN, ()))


def phone_draft_keys(secret: bytes, wave_id: str, site_key: bytes) -> DraftKeys:
    """The draft of a phone in a wave: `secret` is the phone's, `site_key` the site's for DRAFT_KEY."""
    material = secret + wave_id.encode()
    return DraftKeys(hashlib.sha256(material).digest(), hmac.digest(site_key, material, hashlib.sha256))


def household_draft_keys(code: str, wave_id: str, site_key: bytes) -> DraftKeys:
    """The draft of a household in a wave: `code` is its access code, `site_key` the site's for HOUSEHOLD_KEY."""
    digest_key = hmac.digest(site_key, wave_id.encode() + b"\0" + code.encode(), hashlib.sha256)
    return DraftKeys(hashlib.sha256(b"key" + digest_key).digest(), hashlib.sha256(b"lock" + digest_key).digest())


def seal_draft(pocket: DraftKeys, draft: DraftContent) -> bytes:
    """The draft as it is stored. Raises FormTooLarge."""
    nonce = os.urandom(NONCE)
    content: list[object] = [draft.school_id, draft.invitation, draft.spent, draft.raw]
    if draft.authors or draft.shared:
        content += [draft.authors, draft.shared and [draft.shared.key.hex(), draft.shared.lock.hex()]]
    return nonce + AESGCM(pocket.lock).encrypt(nonce, serialize_draft(content).encode(), pocket.key)


def open_draft(pocket: DraftKeys, sealed: bytes) -> DraftContent | None:
    """The draft that was stored; None where it cannot be opened: it was changed, or the site has another key now."""
    try:
        content = AESGCM(pocket.lock).decrypt(sealed[:NONCE], sealed[NONCE:], pocket.key)
    except (InvalidTag, ValueError):
        return None
    school_id, invitation, spent, raw, authors, shared = (*json.loads(content), {}, None)[:6]
    way = DraftKeys(*map(bytes.fromhex, shared)) if shared else None
    return DraftContent(school_id, invitation, spent, raw, authors, way)


def add_page(draft: DraftContent, raw: Raw, page: int | None) -> DraftContent:
    """The draft with these answers, this page among those sent; None where the page is not finished yet."""
    sent = draft.seen if page is None else draft.seen | {page}
    seen = {SEEN: [str(number) for number in sorted(sent)]} if sent else {}
    return replace(draft, raw={**{name: list(values) for name, values in raw.items()}, **seen})
