"""Forms for signing in and for the account page."""

from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField, ValidationError
from wtforms.validators import Email, InputRequired

from engage.base.languages import LANGUAGES
from engage.domain.security.passwords import LEAST, LEAST_DIFFERENT, MOST, password_weakness, verify_password
from engage.web.auth.passkeys import NAME_MOST
from engage.web.forms import BaseForm, LineField
from engage.web.page_language import gettext
from engage.web.permissions import person


class SignInForm(BaseForm):
    """Email address and password. There is no "remember me", because schools share computers."""

    email = EmailField(validators=[InputRequired(), Email()], filters=[lambda text: (text or "").strip()])
    password = PasswordField(validators=[InputRequired()])
    next = HiddenField()


class CodeForm(BaseForm):
    """A code from an app, or a recovery code."""

    code = StringField()


class PasskeyForm(BaseForm):
    """A browser's passkey response (JSON), and the token of its request."""

    token = HiddenField()
    credential = HiddenField()
    next = HiddenField()


class NewPasskeyForm(PasskeyForm):
    """A new passkey with its name."""

    name = LineField(most=NAME_MOST)


class ConfirmPasswordForm(BaseForm):
    """The current password, for confirmation."""

    password = PasswordField()
    next = HiddenField()

    def validate_password(self, field: PasswordField) -> None:
        """Refuse any other password."""
        _require_own_password(field)


class AddressForm(BaseForm):
    """An email address, which may be unknown."""

    email = LineField()


class NewPasswordForm(BaseForm):
    """A new password for the person with this address, which is shown as text."""

    email = EmailField()
    new = PasswordField()

    def require_strong_password(self, email: str) -> bool:
        """Whether the password is strong enough for the person with this address; otherwise adds an error to the
        form."""
        if weakness := password_weakness(self.new.data or "", email):
            self.add_error("new", _password_advice(weakness))
        return not weakness


class ChangePasswordForm(BaseForm):
    """The current password and a new one."""

    old = PasswordField()
    new = PasswordField()

    def validate_old(self, field: PasswordField) -> None:
        """Refuse any password but the current one."""
        _require_own_password(field)

    def validate_new(self, field: PasswordField) -> None:
        """Refuse a weak password."""
        if weakness := password_weakness(field.data or "", person().email):
            raise ValidationError(_password_advice(weakness))


class LanguageForm(BaseForm):
    """The language of the staff pages."""

    language = SelectField(choices=lambda: [(tag, each.name) for tag, each in LANGUAGES.items()], validate_choice=False)

    def validate_language(self, field: SelectField) -> None:
        """Refuse a language that is not in the list."""
        if field.data not in LANGUAGES:
            # translators: shown when a form named a language that is not in the list
            raise ValidationError(gettext("Choose a language from the list."))


def _require_own_password(field: PasswordField) -> None:
    if not verify_password(person().password, field.data or ""):
        # translators: next to the box for the present password
        raise ValidationError(gettext("This is not your password. Try again."))


def _password_advice(weakness: str) -> str:
    if weakness == "short":
        # translators: next to the box for a new password
        return gettext("Use at least %(number)s characters.", number=LEAST)
    if weakness == "long":
        # translators: next to the box for a new password
        return gettext("Use at most %(number)s characters.", number=MOST)
    if weakness == "simple":
        # translators: next to the box for a new password
        return gettext("Use at least %(number)s different characters.", number=LEAST_DIFFERENT)
    # translators: next to the box for a new password
    return gettext("Do not use the name from your email address in it.")
