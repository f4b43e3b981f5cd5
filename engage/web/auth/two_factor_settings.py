"""Settings of the second step of sign-in: setting it up, and removing it."""

from datetime import timedelta
from random import SystemRandom

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security import recovery_codes
from engage.storage.engine import read_session, write_session
from engage.storage.models.staff import Passkey, Staff, StaffIdentity
from engage.web.auth import passkeys, totp
from engage.web.auth.account_forms import CodeForm, ConfirmPasswordForm, NewPasskeyForm
from engage.web.auth.notifications import record_sign_in_change
from engage.web.auth.sessions import (
    current_session_id,
    end_sessions,
    mark_sessions_weak,
    naive_utc,
    renew_session,
    session_start,
)
from engage.web.context import runtime
from engage.web.page_language import gettext
from engage.web.permissions import HOME, enters, has_strong_session, person, safe_next_url

PERMISSION = "manage yourself"
FRESH = timedelta(minutes=15)  # after signing in, or after the password was confirmed
CONFIRMED_AT = "proved"  # in the cookie: when the password was last confirmed
NEW_APP = "new app"  # in the cookie: the sealed secret of an app that is being set up
NEXT = "after the second step"  # in the cookie: the page to return to
CONFIRM_VIEW = "factors.confirm_password"

blueprint = Blueprint("factors", __name__, url_prefix="/staff/me")


@blueprint.get("/second-factor")
@enters(PERMISSION)
def page() -> str:
    """What a second step is, and the two methods."""
    if "next" in request.args:
        session[NEXT] = safe_next_url(request.args["next"])
    with read_session(runtime().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        return render_template(
            "account/second_factor.html",
            app=totp.has_app(someone),
            keys=passkeys.keys_of(rows, someone.id),
            left=recovery_codes.count_unused_codes(someone.mf_recovery_codes),
            possible=passkeys.can_use_passkeys(),
            required=runtime().settings.second_factor == "required",
        )


@blueprint.get("/second-factor/app")
@enters(PERMISSION)
def app_page() -> Response | str:
    """A secret to enter into an app."""
    if not is_recently_verified():
        return _redirect_to_confirm("factors.app_page")
    if _needs_district_sign_in():
        return _ask_district_sign_in()
    session.setdefault(NEW_APP, totp.new_secret())
    return _render_app_page(CodeForm(formdata=None))


@blueprint.post("/second-factor/app")
@enters(PERMISSION)
def set_up_app() -> Response | str | tuple[str, int]:
    """Store the secret, after a code shows that the app has it."""
    if not is_recently_verified() or NEW_APP not in session:
        return _redirect_to_confirm("factors.app_page")
    if _needs_district_sign_in():
        return _ask_district_sign_in()
    form = CodeForm(formdata=request.form)
    with write_session(runtime().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        totp.use_app(someone, session[NEW_APP])
        if not totp.verify_code(someone, form.code.data or ""):
            # translators: setting up an app that shows codes: the code is not the one that was expected
            problem = gettext("This code is not correct. Wait for the next one in the app, and enter it here.")
            form.add_error("code", problem)
            return _render_app_page(form), 422
        return _store_second_step(rows, someone, "code", "app")


@blueprint.post("/second-factor/app/remove")
@enters(PERMISSION)
def remove_app() -> Response:
    """Remove the app."""
    if not is_recently_verified():
        return _redirect_to_confirm("factors.page")
    with write_session(runtime().engine) as rows:
        totp.forget_app(rows.get_one(Staff, person().id))
        _commit_removal(rows, "app removed")
    # translators: shown after an app that shows codes was taken away
    flash(gettext("App codes are off."))
    return redirect(url_for(".page"))


@blueprint.post("/second-factor/codes")
@enters(PERMISSION)
def new_codes() -> Response | str:
    """Create new recovery codes; the old ones become invalid."""
    if not is_recently_verified():
        return _redirect_to_confirm("factors.page")
    with write_session(runtime().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        if not _has_second_step(rows, someone):
            return redirect(url_for(".page"))
        codes = _make_recovery_codes(someone)
        record_sign_in_change(rows, someone, what="recovery codes")
        rows.commit()
    return _render_codes_page(codes)


@blueprint.get("/second-factor/passkey")
@enters(PERMISSION)
def passkey_page() -> Response | str:
    """The form to create a passkey."""
    if not passkeys.can_use_passkeys():
        abort(404)
    if not is_recently_verified():
        return _redirect_to_confirm("factors.passkey_page")
    return _ask_district_sign_in() if _needs_district_sign_in() else _render_passkey_page(NewPasskeyForm(formdata=None))


@blueprint.post("/second-factor/passkey")
@enters(PERMISSION)
def add_passkey() -> Response | str | tuple[str, int]:
    """Store the passkey that the browser created."""
    if not is_recently_verified():
        return _redirect_to_confirm("factors.passkey_page")
    if _needs_district_sign_in():
        return _ask_district_sign_in()
    form = NewPasskeyForm(formdata=request.form)
    with write_session(runtime().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        if _is_new_name(rows, someone, form) and _store_passkey(rows, someone, form):
            return _store_second_step(rows, someone, "passkey", "passkey")
    return _render_passkey_page(form), 422


@blueprint.post("/second-factor/passkey/<int:key_id>/remove")
@enters(PERMISSION)
def remove_passkey(key_id: int) -> Response:
    """Remove a passkey."""
    if not is_recently_verified():
        return _redirect_to_confirm("factors.page")
    with write_session(runtime().engine) as rows:
        key = rows.get(Passkey, key_id) if key_id < 2**31 else None
        if key is None or key.user_id != person().id:
            abort(404)
        rows.delete(key)
        _commit_removal(rows, "passkey removed")
    # translators: shown after a passkey was taken away
    flash(gettext("This passkey no longer opens your account."))
    return redirect(url_for(".page"))


@blueprint.get("/again")
@enters(PERMISSION)
def confirm_password() -> str:
    """The form to confirm the password before a sign-in method is changed."""
    form = ConfirmPasswordForm(formdata=None, next=safe_next_url(request.args.get("next")))
    return render_template("account/confirm_password.html", form=form)


@blueprint.post("/again")
@enters(PERMISSION)
def check_password() -> Response | tuple[str, int]:
    """Continue if the password is right."""
    form = ConfirmPasswordForm(formdata=request.form)
    form.next.data = safe_next_url(form.next.data)
    if not form.validate():
        return render_template("account/confirm_password.html", form=form), 422
    session[CONFIRMED_AT] = int(runtime().now().timestamp())
    return redirect(form.next.data)


def is_recently_verified() -> bool:
    """Whether this person has verified their identity within the last minutes."""
    now = runtime().now()
    lately = now.timestamp() - session.get(CONFIRMED_AT, 0) <= FRESH.total_seconds()
    return lately or naive_utc(now) - session_start() <= FRESH


def _needs_district_sign_in() -> bool:
    """Whether the person has only entered a password but can sign in with the district's own account: someone who
    guessed a password must not set up a second step with it."""
    if has_strong_session():
        return False
    identities = select(StaffIdentity.subject).where(
        StaffIdentity.staff_id == person().id, StaffIdentity.provider.in_(list(runtime().settings.sso))
    )
    with read_session(runtime().engine) as rows:
        return rows.scalar(identities.limit(1)) is not None


def _ask_district_sign_in() -> Response:
    # translators: somebody signed in with a password wants to set up a second step, but also has an account elsewhere
    flash(gettext("First sign out, and sign in with your district account. Then set up the second step."), "error")
    return redirect(url_for(".page"))


def _redirect_to_confirm(view: str) -> Response:
    return redirect(url_for(CONFIRM_VIEW, next=url_for(view)))


def _store_second_step(rows: Session, someone: Staff, by: str, what: str) -> Response | str:
    """Commit a new second step, end the sessions that started without one, and show recovery codes if there are
    none."""
    codes = [] if recovery_codes.count_unused_codes(someone.mf_recovery_codes) else _make_recovery_codes(someone)
    end_sessions(rows, someone.id, but=current_session_id())
    record_sign_in_change(rows, someone, what=what)
    rows.commit()
    wanted = session.get(NEXT)
    renew_session(someone, by, strong=True)
    if wanted:
        session[NEXT] = wanted
    if codes:
        return _render_codes_page(codes)
    # translators: shown after an app or a passkey was set up
    flash(gettext("Done. You will be asked for it when you sign in."))
    return redirect(session.pop(NEXT, url_for(".page")))


def _commit_removal(rows: Session, what: str) -> None:
    someone = rows.get_one(Staff, person().id)
    rows.flush()
    if not _has_second_step(rows, someone):
        someone.mf_recovery_codes = None
        mark_sessions_weak(rows, someone.id)
    record_sign_in_change(rows, someone, what=what)
    rows.commit()


def _has_second_step(rows: Session, someone: Staff) -> bool:
    return totp.has_app(someone) or bool(passkeys.keys_of(rows, someone.id))


def _make_recovery_codes(someone: Staff) -> list[str]:
    codes = recovery_codes.generate_recovery_codes(SystemRandom())
    someone.mf_recovery_codes = recovery_codes.hash_recovery_codes(
        codes, runtime().secret(recovery_codes.RECOVERY_KEY), someone.id
    )
    return codes


def _store_passkey(rows: Session, someone: Staff, form: NewPasskeyForm) -> bool:
    """Store the passkey that the browser created; False, with an error in the form, if it is not valid."""
    answer = form.credential.data or ""
    try:
        passkeys.store_passkey(rows, someone, form.name.data or "", form.token.data or "", answer)
    except passkeys.PasskeyExpired:
        form.add_error("credential", passkeys.expiry_message())
        return False
    except passkeys.PasskeyRefused:
        # translators: a passkey could not be made
        problem = gettext("Your browser did not create a passkey that we can use. Try again.")
        form.add_error("credential", problem)
        return False
    return True


def _is_new_name(rows: Session, someone: Staff, form: NewPasskeyForm) -> bool:
    """Whether the person may have one more passkey, with this name; otherwise adds an error to the form."""
    if problem := _name_problem(passkeys.keys_of(rows, someone.id), form.name.data or ""):
        form.add_error("name", problem)
    return not problem


def _name_problem(keys: list[Passkey], name: str) -> str:
    if not 1 <= len(name) <= passkeys.NAME_MOST:
        # translators: in a form: the name of a passkey
        return gettext("Enter a name of 1 to %(most)s characters.", most=passkeys.NAME_MOST)
    if name in [each.name for each in keys]:
        # translators: in a form: the name of a passkey
        return gettext("You already have a passkey with this name. Choose another name.")
    if len(keys) >= passkeys.MOST:
        # translators: somebody has very many passkeys
        return gettext("You have too many passkeys. Remove one first.")
    return ""


def _render_app_page(form: CodeForm) -> str:
    secret = totp.describe_secret(session[NEW_APP], person().email)
    return render_template("account/second_factor_app.html", shown=secret, form=form)


def _render_passkey_page(form: NewPasskeyForm) -> str:
    with write_session(runtime().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        someone.fs_webauthn_user_handle = someone.fs_webauthn_user_handle or passkeys.new_handle()
        handle = someone.fs_webauthn_user_handle
        rows.commit()
    registration = passkeys.request_registration(someone, handle)
    return render_template("account/second_factor_passkey.html", asked=registration, form=form)


def _render_codes_page(codes: list[str]) -> str:
    return render_template("account/recovery_codes.html", codes=codes, next=session.pop(NEXT, HOME))
