"""Parsing of request heads: an unreadable head gets a 400, never an exception."""

import re
from typing import Any
from urllib.parse import quote_from_bytes

from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.utilities import BadRequest

UNREADABLE = "This request cannot be read."
TWO_LENGTHS = "A request has either a Content-Length or a Transfer-Encoding."
_CONTENT_LENGTH = re.compile(rb"^content-length[ \t]*:", re.IGNORECASE | re.MULTILINE)
_TRANSFER_ENCODING = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)
_ASCII = bytes(range(128))


class HeadParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Parser of one request. Attributes that only a readable head sets have defaults: a refused request is logged,
    answered, and counted too."""

    command = ""
    path = ""
    query = ""
    fragment = ""
    request_uri = ""
    error: Any
    completed: bool

    def received(self, data: bytes) -> int:
        """Process bytes and return how many were used; any error in them becomes a 400."""
        try:
            return int(super().received(data))
        except Exception:  # waitress raises on some addresses and lengths, and would close without an answer
            self.error, self.completed = BadRequest(UNREADABLE), True
            return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head. Raises ParsingError, without the bytes received: the answer and the log repeat its
        message."""
        # RFC 9112, 6.3: with both headers, a proxy in front may see one request where waitress sees two
        if _CONTENT_LENGTH.search(header_plus) and _TRANSFER_ENCODING.search(header_plus):
            raise ParsingError(TWO_LENGTHS)
        try:
            super().parse_header(escape_target(header_plus))
        except TransferEncodingNotImplemented:
            raise
        except Exception as problem:
            raise ParsingError(UNREADABLE) from problem
        if "TRANSFER_ENCODING" in self.headers:  # RFC 9112, 6.1: HTTP/1.0 has no transfer encoding
            raise ParsingError(UNREADABLE)


def escape_target(head: bytes) -> bytes:
    """The head with bytes above 127 of its request target written as %XX, as browsers do; old browsers and some QR code
    readers send an address as it was typed. No other byte changes."""
    line, end, rest = head.partition(b"\r\n")
    if line.isascii():
        return head
    method, space, target = line.partition(b" ")
    return method + space + quote_from_bytes(target, safe=_ASCII).encode() + end + rest
