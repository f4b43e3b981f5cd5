"""A mail server for tests, whose responses a test controls."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as FORM
from typing import Any

from aiosmtpd.smtp import SMTP

PATIENCE = 10  # seconds


@dataclass
class Postbox:
    """The received emails. `answers`: responses in place of "250 OK", by the command of the protocol (RCPT, DATA);
    `delays`: seconds before a response; "END" is after an email was accepted."""

    arrived: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    answers: dict[str, str | Callable[[], str]] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    begun: int = 0
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = await self._answer("RCPT")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await self._answer("DATA")
        if answer.startswith("250"):
            self.arrived.append(message_from_bytes(envelope.content, policy=FORM))  # type: ignore[arg-type]
            self.receivers += envelope.rcpt_tos
            await asyncio.sleep(self.delays.get("END", 0))
        return answer

    async def _answer(self, word: str) -> str:
        self.begun += word == "RCPT"
        await asyncio.sleep(self.delays.get(word, 0))
        answer = self.answers.get(word, "250 OK")
        return answer() if callable(answer) else answer

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of received emails, including duplicates."""
        return [str(each["Message-ID"]) for each in self.arrived]


@contextmanager
def a_postbox(**how: Any) -> Iterator[Postbox]:
    """Run a server on loopback in its own thread. `how` has arguments for aiosmtpd's SMTP; with `tls` the whole
    connection is encrypted."""
    box, ready, stopping = Postbox(), threading.Event(), threading.Event()
    tls = how.pop("tls", None)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(box, loop=loop, hostname="mail", **how), "127.0.0.1", 0, ssl=tls)
        box.port = server.sockets[0].getsockname()[1]
        ready.set()
        while not stopping.is_set():
            await asyncio.sleep(0.02)
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield box
    finally:
        stopping.set()
        thread.join(PATIENCE)
