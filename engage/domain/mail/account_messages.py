"""Emails to staff about their own account."""

from gettext import NullTranslations

from engage.domain.mail.outbox import OutgoingMail


def staff_invitation_mail(words: NullTranslations, to: str, district: str, link: str) -> OutgoingMail:
    """Return the invitation of a new colleague, with a link to choose a password."""
    # translators: subject of a letter by e-mail to a new colleague; %(district)s is the school district's name
    subject = words.gettext("Your access to %(district)s family surveys")
    # translators: letter by e-mail to a new colleague; %(link)s is an address, alone on its line
    text = words.gettext(
        "Hello,\n\nYou now have access to the staff pages for %(district)s family surveys. Open this link within 7 "
        "days to choose a password:\n\n%(link)s\n\nIf you did not expect this email, you can ignore it."
    )
    return _fill_mail(to, subject, text, {"district": district, "link": link})


def password_reset_mail(words: NullTranslations, to: str, district: str, link: str) -> OutgoingMail:
    """Return the email with a link to reset a password."""
    # translators: subject of a letter by e-mail to a colleague who forgot the password
    subject = words.gettext("Reset your password for %(district)s family surveys")
    # translators: letter by e-mail to a colleague who forgot the password; %(link)s is an address, alone on its line
    text = words.gettext(
        "Hello,\n\nSomeone, probably you, asked to reset the password for %(district)s family surveys. Open this "
        "link within 2 hours to choose a new password:\n\n%(link)s\n\nIf you did not ask for this, you can ignore "
        "this email. Your password will not change."
    )
    return _fill_mail(to, subject, text, {"district": district, "link": link})


def sign_in_changed_mail(words: NullTranslations, to: str, district: str) -> OutgoingMail:
    """Return the notice that the account's sign-in method was changed, in case someone else did it."""
    # translators: subject of a letter by e-mail to a colleague
    subject = words.gettext("Your sign-in for %(district)s family surveys was changed")
    # translators: letter by e-mail to a colleague; a second step: a code from an app, or a passkey
    text = words.gettext(
        "Hello,\n\nYour sign-in for %(district)s family surveys was just changed: either the password or a second "
        "step.\n\nIf you made this change, you do not need to do anything. If you did not, tell the administrator "
        "of these pages right away and choose a new password."
    )
    return _fill_mail(to, subject, text, {"district": district})


def passkey_copied_mail(words: NullTranslations, to: str, district: str, passkey: str) -> OutgoingMail:
    """Return the notice that a passkey was refused because another device may have a copy. `passkey` is its name."""
    # translators: subject of a letter by e-mail to a colleague
    subject = words.gettext("A passkey for %(district)s family surveys was refused")
    # translators: letter by e-mail to a colleague; %(passkey)s is the name of a passkey; "My account" is a page
    text = words.gettext(
        "Hello,\n\nSomeone tried to sign in to the staff pages for %(district)s family surveys with your passkey "
        "“%(passkey)s”. Nobody was signed in, because another device may have a copy of this passkey.\n\nSign in "
        "another way, open “My account”, and remove this passkey. If you did not try to sign in, also tell the "
        "administrator of these pages right away."
    )
    return _fill_mail(to, subject, text, {"district": district, "passkey": passkey})


def _fill_mail(to: str, subject: str, text: str, values: dict[str, str]) -> OutgoingMail:
    return OutgoingMail(to, subject % values, text % values)
