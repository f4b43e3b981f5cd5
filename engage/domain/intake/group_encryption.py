"""The group of an anonymous response, sealed under the site's key while too few answers have come to name it
(AES-256-GCM, NIST SP 800-38D, with a random nonce)."""

import json
import os
from dataclasses import astuple, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engage.storage.language_groups import OTHER

GROUP_KEY = "response groups"  # the site's secret for this purpose: `runtime().secret(GROUP_KEY)`
NONCE = 12  # bytes
LENGTH = 160  # bytes of every group before sealing: the length of the sealed bytes must not tell the group


@dataclass(frozen=True, slots=True, order=True)
class ResponseGroup:
    """The groups of a response in figures; OTHER for each part that is one of several."""

    school: str
    language: str
    mode: str
    answered_in: str


JOINED = ResponseGroup(OTHER, OTHER, OTHER, OTHER)


def seal_group(key: bytes, response_id: str, group: ResponseGroup) -> bytes:
    """The group as it is stored with its response. `key`: the site's for GROUP_KEY."""
    nonce, content = os.urandom(NONCE), json.dumps(astuple(group)).encode().ljust(LENGTH)
    return nonce + AESGCM(key).encrypt(nonce, content, response_id.encode())


def open_group(key: bytes, response_id: str, sealed: bytes) -> ResponseGroup:
    """The group that was sealed; JOINED where it cannot be opened: it was changed, or the site has another key now."""
    try:
        content = AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], response_id.encode())
    except (InvalidTag, ValueError):
        return JOINED
    return ResponseGroup(*json.loads(content))
