"""Letting a roster in: every other request is small, and stays small."""

from copy import copy
from typing import Any
from weakref import WeakSet

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser

from engage.administration.roster import ADDRESS, MOST_BYTES

_coming: "WeakSet[Parser]" = WeakSet()


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """One request. A roster may be large, one at a time in each process: who may send one is known only when all of
    it is here, so that strangers must not fill the disk."""

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        """Read the header; the server asks `adj` afterwards how long the body may be."""
        super().parse_header(header_plus)
        large = self.content_length >= self.adj.max_request_body_size
        if large and not _coming and (self.command, self.path) == ("POST", ADDRESS):
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = MOST_BYTES
            _coming.add(self)


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection whose requests are read so."""

    parser_class = Parser
