"""Encryption of drafts. The key is derived from a secret in the family's phone (browser) and the site's key, so that
neither can decrypt alone (AES-256-GCM, NIST SP 800-38D; random nonces, one key per draft).

In a confidential wave with access codes, all phones of a household share one draft. Its key is derived from the access
code and the site's key. Each phone then has a row without answers, which only refers to that draft.
"""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engage.domain.intake.form_data import Raw, serialize_draft

DRAFT_KEY = "drafts"  # purpose of the derived key: `runtime().secret(DRAFT_KEY)`
HOUSEHOLD_KEY = "drafts of households"  # purpose of the derived key for drafts that are found by an access code
NONCE = 12  # bytes
SEEN = "~seen"  # entry in the raw answers with the numbers of pages sent; no slot key starts with "~"


@dataclass(frozen=True, slots=True)
class DraftKeys:
    """The primary key of a draft (`key`, 32 bytes, stored) and its encryption key (`lock`, 32 bytes, never stored)."""

    key: bytes
    lock: bytes


@dataclass(frozen=True, slots=True)
class DraftContent:
    """A decrypted draft. `invitation` is the digest of the access code it was started with, if any; `spent` is the
    record of that code after use, in an anonymous wave; `seen` are the pages sent.

    Only in a household's draft: `authors` has the phone of each answer by slot key, and the phones that sent each page
    (domain/intake/draft_authors.py). Only in a phone's row without answers: `shared` is the household's draft.
    """

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
    """Return the keys of a phone's draft in a wave. `secret` is the phone's; `site_key` is the site's key for
    DRAFT_KEY."""
    material = secret + wave_id.encode()
    return DraftKeys(hashlib.sha256(material).digest(), hmac.digest(site_key, material, hashlib.sha256))


def household_draft_keys(code: str, wave_id: str, site_key: bytes) -> DraftKeys:
    """Return the keys of a household's draft in a wave. `code` is its access code; `site_key` is for HOUSEHOLD_KEY."""
    digest_key = hmac.digest(site_key, wave_id.encode() + b"\0" + code.encode(), hashlib.sha256)
    return DraftKeys(hashlib.sha256(b"key" + digest_key).digest(), hashlib.sha256(b"lock" + digest_key).digest())


def seal_draft(pocket: DraftKeys, draft: DraftContent) -> bytes:
    """Encrypt a draft for storage. Raises FormTooLarge."""
    nonce = os.urandom(NONCE)
    content: list[object] = [draft.school_id, draft.invitation, draft.spent, draft.raw]
    if draft.authors or draft.shared:
        content += [draft.authors, draft.shared and [draft.shared.key.hex(), draft.shared.lock.hex()]]
    return nonce + AESGCM(pocket.lock).encrypt(nonce, serialize_draft(content).encode(), pocket.key)


def open_draft(pocket: DraftKeys, sealed: bytes) -> DraftContent | None:
    """Decrypt a stored draft. None if that fails because it was changed or the site's key has changed."""
    try:
        content = AESGCM(pocket.lock).decrypt(sealed[:NONCE], sealed[NONCE:], pocket.key)
    except (InvalidTag, ValueError):
        return None
    school_id, invitation, spent, raw, authors, shared = (*json.loads(content), {}, None)[:6]
    way = DraftKeys(*map(bytes.fromhex, shared)) if shared else None
    return DraftContent(school_id, invitation, spent, raw, authors, way)


def add_page(draft: DraftContent, raw: Raw, page: int | None) -> DraftContent:
    """Return the draft with these raw answers and with this page added to those sent. `page` is None for an unfinished
    page."""
    sent = draft.seen if page is None else draft.seen | {page}
    seen = {SEEN: [str(number) for number in sorted(sent)]} if sent else {}
    return replace(draft, raw={**{name: list(values) for name, values in raw.items()}, **seen})
