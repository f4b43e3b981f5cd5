"""A mail server, and settings for it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engage.base.config import Settings
from engage.domain.mail.smtp import MailServer
from tests.postbox import Postbox, a_postbox


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A mail server without TLS on loopback."""
    with a_postbox() as box:
        yield box


def named(settings: Settings, box: Postbox) -> Settings:
    """Return the settings with this mail server."""
    given = {"mail_server": f"127.0.0.1:{box.port}", "mail_security": "none", "mail_from": "surveys@district.example"}
    return replace(settings, base_url="https://engage.sites.district.example", **given)


@pytest.fixture
def server(postbox: Postbox) -> MailServer:
    """The mail server as the product sees it."""
    found = MailServer.of(named(Settings(), postbox))
    assert found is not None
    return found
