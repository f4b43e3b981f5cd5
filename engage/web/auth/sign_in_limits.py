"""Limits on wrong sign-in attempts, counted in memory by each serving process.

Attempts at one account from one network are limited tightly; a school is one network with many colleagues. Attacks on
an account do not lock out its owner, who signs in from a network without wrong attempts.
"""

import hashlib
import math
import time
import unicodedata
from dataclasses import dataclass

from flask import Flask, Response, abort, g, request
from flask_login import current_user
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from engage.storage.engine import read_session
from engage.web.auth.accounts import find_person_by_address
from engage.web.auth.second_step import pending_handle
from engage.web.context import runtime
from engage.web.networks import network_of

PER_ACCOUNT_AND_NETWORK = "10 per 15 minutes"
PER_ACCOUNT = "100 per hour"
PER_NETWORK = "300 per 15 minutes"
FREE_OF_PER_ACCOUNT = "3 per hour"  # wrong attempts at an account from one network
SENDS_MAIL = "forgotten.ask"  # each attempt sends email: the limit by account applies to every network
LIMITED = (
    "sign_in.enter",
    "second.step_taken",
    "second.passkey",
    SENDS_MAIL,
    "forgotten.choose",
    "factors.set_up_app",
    "factors.add_passkey",
    "factors.check_password",
    "me.password",
)


@dataclass(frozen=True, slots=True)
class SignInTry:
    """An attempt that may be a guess: the account, the network, and the name of the view. Each view is counted
    separately, because each asks for another secret."""

    view: str
    account: str
    network: str


Bound = tuple[RateLimitItem, tuple[str, ...]]  # a limit, and the key that it is counted by


class WrongTries:
    """The limits, and the counts of wrong attempts."""

    def __init__(self) -> None:
        self._window = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._free = parse(FREE_OF_PER_ACCOUNT)
        self._both, self._account, self._network = map(parse, (PER_ACCOUNT_AND_NETWORK, PER_ACCOUNT, PER_NETWORK))

    def bounds(self, tried: SignInTry) -> list[Bound]:
        """The limits that apply to this attempt."""
        view, account, network = tried.view, tried.account, tried.network
        limits: list[Bound] = [
            (self._both, (view, "both", account, network)),
            (self._network, (view, "network", network)),
        ]
        if view == SENDS_MAIL or not self._window.test(self._free, account, network):
            limits.append((self._account, (view, "account", account)))
        return limits

    def seconds_to_wait(self, bounds: list[Bound]) -> int:
        """The seconds until the attempt is allowed; 0 for now."""
        reached = [(limit, by) for limit, by in bounds if not self._window.test(limit, *by)]
        resets = [self._window.get_window_stats(limit, *by).reset_time - time.time() for limit, by in reached]
        return max((math.ceil(left) for left in resets), default=-1) + 1

    def count(self, tried: SignInTry, bounds: list[Bound]) -> None:
        """Count a wrong attempt."""
        for limit, by in bounds:
            self._window.hit(limit, *by)
        self._window.hit(self._free, tried.account, tried.network)


def install(app: Flask) -> None:
    """Refuse attempts beyond the limits with 429. Must be installed last, so that a form without its CSRF token does
    not count."""
    tries = WrongTries()

    @app.before_request
    def refuse() -> None:
        if request.method != "POST" or request.endpoint not in LIMITED:
            return
        tried = SignInTry(request.endpoint, _account_key(), _request_network())
        bounds = tries.bounds(tried)
        if seconds := tries.seconds_to_wait(bounds):
            g.retry_after = seconds
            abort(429)
        g.sign_in_try = tried, bounds

    @app.after_request
    def count(response: Response) -> Response:
        if "retry_after" in g:
            response.headers["Retry-After"] = str(g.retry_after)
        elif "sign_in_try" in g and not 300 <= response.status_code < 400:
            tries.count(*g.sign_in_try)
        return response


def _account_key() -> str:
    """The handle of the person being signed in; otherwise a digest of the address entered."""
    if current_user.is_authenticated:
        return str(current_user.fs_uniquifier)
    return pending_handle() or _addressed_account(request.form.get("email", "").strip())


def _addressed_account(typed: str) -> str:
    with read_session(runtime().engine) as rows:
        person = find_person_by_address(rows, typed)
    if person:
        return person.fs_uniquifier
    plain = unicodedata.normalize("NFKC", typed).lower()
    return hashlib.sha256(plain.encode()).hexdigest() if plain else f"at {_request_network()}"


def _request_network() -> str:
    return network_of(request.remote_addr or "")
