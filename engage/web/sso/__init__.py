"""Signing in with an account of the district: OpenID Connect (https://openid.net/specs/openid-connect-core-1_0.html)."""

from engage.web.sso.views import blueprint, install

__all__ = ["blueprint", "install"]
