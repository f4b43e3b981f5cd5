"""Letters to staff about their own account."""

from gettext import NullTranslations

from engage.domain.mail.outbox import OutgoingMail


def staff_invitation_mail(words: NullTranslations, to: str, district: str, link: str) -> OutgoingMail:
    """To a new colleague: a link to choose a password."""
    # translators: subject of a letter by e-mail to a new colleague; %(district)s is the school district's name
    subject = words.gettext("Your access to the family surveys of %(district)s")
    # translators: letter by e-mail to a new colleague; %(link)s is an address, alone on its line
    text = words.gettext(
        "Hello,\n\nyou can now work with the family surveys of %(district)s. "
        "Please open this link within 7 days and choose a password:\n\n%(link)s\n\n"
        "If you did not expect this letter, you need do nothing."
    )
    return _fill_mail(to, subject, text, {"district": district, "link": link})


def password_reset_mail(words: NullTranslations, to: str, district: str, link: str) -> OutgoingMail:
    """To a colleague who forgot the password: a link to choose another."""
    # translators: subject of a letter by e-mail to a colleague who forgot the password
    subject = words.gettext("Choose a new password for the family surveys of %(district)s")
    # translators: letter by e-mail to a colleague who forgot the password; %(link)s is an address, alone on its line
    text = words.gettext(
        "Hello,\n\nsomeone, probably you, asked for a new password for the family surveys of %(district)s. "
        "Please open this link within 2 hours:\n\n%(link)s\n\n"
        "If it was not you, you need do nothing. Your password stays as it is."
    )
    return _fill_mail(to, subject, text, {"district": district, "link": link})


def sign_in_changed_mail(words: NullTranslations, to: str, district: str) -> OutgoingMail:
    """To a colleague whose way to sign in was just changed: in case it was somebody else."""
    # translators: subject of a letter by e-mail to a colleague
    subject = words.gettext("Your sign-in to the family surveys of %(district)s was changed")
    # translators: letter by e-mail to a colleague; a second step: a code from an app, or a passkey
    text = words.gettext(
        "Hello,\n\nthe way you sign in to the family surveys of %(district)s was just changed: "
        "the password, or a second step.\n\n"
        "If it was you, you need do nothing. If it was not you, tell the administrator of these pages at once, "
        "and choose a new password."
    )
    return _fill_mail(to, subject, text, {"district": district})


def _fill_mail(to: str, subject: str, text: str, values: dict[str, str]) -> OutgoingMail:
    return OutgoingMail(to, subject % values, text % values)
