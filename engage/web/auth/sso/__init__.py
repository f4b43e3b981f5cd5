"""Signing in with an account of the district: OpenID Connect (https://openid.net/specs/openid-connect-core-1_0.html)."""
