"""The stored authorization request, and the errors of the flow. Imports none of the packages of the extra."""

from dataclasses import dataclass


class ProviderTrouble(Exception):
    """The provider cannot be reached, or its answer violates the protocol; the message is for the log."""


class NotProved(Exception):
    """The callback does not prove an identity; the message is for the log."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The values sent with an authorization request, to compare with the callback."""

    state: str
    nonce: str
    verifier: str
