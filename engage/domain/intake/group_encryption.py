"""Encryption of an anonymous response's group with the site's key, until enough responses have arrived (AES-256-GCM,
NIST SP 800-38D, with a random nonce)."""

import json
import os
from dataclasses import astuple, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engage.storage.language_groups import OTHER

GROUP_KEY = "response groups"  # purpose of the derived key: `runtime().secret(GROUP_KEY)`
NONCE = 12  # bytes
LENGTH = 160  # bytes of every group before encryption: the length of the result must not reveal the group


@dataclass(frozen=True, slots=True, order=True)
class ResponseGroup:
    """The group of a response in figures. OTHER is a part that was merged."""

    school: str
    language: str
    mode: str
    answered_in: str


JOINED = ResponseGroup(OTHER, OTHER, OTHER, OTHER)


def seal_group(key: bytes, response_id: str, group: ResponseGroup) -> bytes:
    """Encrypt the group of a response for storage. `key` is the site's key for GROUP_KEY."""
    nonce, content = os.urandom(NONCE), json.dumps(astuple(group)).encode().ljust(LENGTH)
    return nonce + AESGCM(key).encrypt(nonce, content, response_id.encode())


def open_group(key: bytes, response_id: str, sealed: bytes) -> ResponseGroup:
    """Decrypt a group. All parts are merged if that fails because it was changed or the site's key has changed."""
    try:
        content = AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], response_id.encode())
    except (InvalidTag, ValueError):
        return JOINED
    return ResponseGroup(*json.loads(content))
