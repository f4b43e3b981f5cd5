"""What is remembered of an authorization request, and how one can fail; needs none of the packages of the extra."""

from dataclasses import dataclass


class ProviderTrouble(Exception):
    """The provider cannot be reached, or answers what it must not; the message is for the log."""


class NotProved(Exception):
    """What came back does not prove who somebody is; the message is for the log."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What this browser was sent away with, to compare with what comes back."""

    state: str
    nonce: str
    verifier: str
