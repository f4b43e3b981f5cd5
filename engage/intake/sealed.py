"""What a draft holds, sealed: only the family's phone and this site together can make the key that opens it
(AES-256-GCM, NIST SP 800-38D; the nonce is random, and each phone's key seals one draft only)."""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engage.intake.submission import Raw, packed

DRAFT_KEY = "drafts"  # the site's secret for this purpose: `state().secret(DRAFT_KEY)`
NONCE = 12  # bytes
SEEN = "~seen"  # among the raw answers: the numbers of the pages sent; no slot key starts with "~"


@dataclass(frozen=True, slots=True)
class Pocket:
    """Where a phone's draft lies (`key`, 32 bytes, stored) and what opens it (`lock`, 32 bytes, never stored)."""

    key: bytes
    lock: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft opened. `invitation` is the digest of the access code it was begun with, if any; `spent` what the code
    leaves behind when it is used, in an anonymous wave; `seen` the pages sent so far."""

    school_id: str
    invitation: str | None
    spent: str | None
    raw: dict[str, list[str]]

    @property
    def seen(self) -> frozenset[int]:
        return frozenset(int(number) for number in self.raw.get(SEEN, ()))


def pocket(secret: bytes, wave_id: str, site_key: bytes) -> Pocket:
    """The draft of a phone in a wave: `secret` is the phone's, `site_key` the site's for DRAFT_KEY."""
    own = secret + wave_id.encode()
    return Pocket(hashlib.sha256(own).digest(), hmac.digest(site_key, own, hashlib.sha256))


def seal(pocket: Pocket, kept: Kept) -> bytes:
    """The draft as it is stored. Raises TooMuch."""
    nonce = os.urandom(NONCE)
    content = packed([kept.school_id, kept.invitation, kept.spent, kept.raw]).encode()
    return nonce + AESGCM(pocket.lock).encrypt(nonce, content, pocket.key)


def opened(pocket: Pocket, sealed: bytes) -> Kept | None:
    """The draft that was stored; None where it cannot be opened: it was changed, or the site has another key now."""
    try:
        content = AESGCM(pocket.lock).decrypt(sealed[:NONCE], sealed[NONCE:], pocket.key)
    except (InvalidTag, ValueError):
        return None
    return Kept(*json.loads(content))


def with_page(kept: Kept, raw: Raw, page: int) -> Kept:
    """The draft with these answers, this page among those sent."""
    seen = [str(number) for number in sorted(kept.seen | {page})]
    told = {**{name: list(values) for name, values in raw.items()}, SEEN: seen}
    return Kept(kept.school_id, kept.invitation, kept.spent, told)
