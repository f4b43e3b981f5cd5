"""Secrets of authenticator apps are useless without the site's secret, in the current format and in that of passlib."""

import pytest

from engage.domain.security.encryption import SealBroken
from engage.domain.security.totp_secrets import is_passlib_form, open_app_secret, seal_app_secret

SITE = b"a secret for tests only, " * 2
SECRET = "CARGJTCZRMYQNIDUNYG4CGBDASAFASSJ"
PASSLIB = (
    '{"enckey":{"c":14,"k":"TFJE6ILXM2Y5P7DAM6BRUGCCC5UUW633","s":"XK3ZM4TOBVAWR3P5L7VQ","t":"1","v":1},'
    '"type":"totp","v":1}'
)


def test_what_is_sealed_opens_with_the_sites_secret_only() -> None:
    sealed = seal_app_secret(SECRET, SITE)
    assert SECRET not in sealed
    assert not is_passlib_form(sealed)
    assert " " not in sealed
    assert open_app_secret(sealed, SITE) == SECRET
    with pytest.raises(SealBroken):
        open_app_secret(sealed, b"another secret")


def test_what_passlib_sealed_opens() -> None:
    assert is_passlib_form(PASSLIB)
    assert open_app_secret(PASSLIB, SITE) == SECRET
    assert open_app_secret(PASSLIB, b"another secret") != SECRET


@pytest.mark.parametrize(
    "broken", ["", "x", "é", "{", "{}", '{"enckey": 7}', '{"enckey": {"s": "A", "k": "!", "c": 1}}']
)
def test_what_is_neither_is_refused(broken: str) -> None:
    with pytest.raises(SealBroken):
        open_app_secret(broken, SITE)
