"""Staff sign-in: passwords, second step, passkeys, sessions, single sign-on."""
