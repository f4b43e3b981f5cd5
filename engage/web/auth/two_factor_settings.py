"""The second step when signing in: setting it up, and taking it away again."""

from datetime import timedelta
from random import SystemRandom

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.security import recovery_codes
from engage.domain.security.passwords import matches
from engage.questionnaire.text_cleaning import clean
from engage.storage.engine import reading, writing
from engage.storage.models.staff import Passkey, Staff, StaffIdentity
from engage.web.auth import passkeys, totp
from engage.web.auth.notifications import sign_in_changed
from engage.web.auth.sessions import began, end_sessions, naive, own_session, renew_session, weaken
from engage.web.context import state
from engage.web.page_language import gettext
from engage.web.permissions import HOME, enters, ours, person, strong

MINE = "manage yourself"
FRESH = timedelta(minutes=15)  # after signing in, or after the password was asked for again
PROVED = "proved"  # in the cookie: when the password was last asked for again
NEW_APP = "new app"  # in the cookie: the sealed secret of an app that is being set up
NEXT = "after the second step"  # in the cookie: where the person wanted to go
AGAIN_VIEW = "factors.again"

blueprint = Blueprint("factors", __name__, url_prefix="/staff/me")


@blueprint.get("/second-factor")
@enters(MINE)
def page() -> str:
    """What a second step is, and the two ways to it."""
    if "next" in request.args:
        session[NEXT] = ours(request.args["next"])
    return _page({})


@blueprint.get("/second-factor/app")
@enters(MINE)
def app_page() -> Response | str:
    """A secret to bring into an app."""
    if not fresh():
        return _again("factors.app_page")
    if _known_better():
        return _better_first()
    session.setdefault(NEW_APP, totp.new_secret())
    return _app_page("")


@blueprint.post("/second-factor/app")
@enters(MINE)
def set_up_app() -> Response | str | tuple[str, int]:
    """Keep the secret, once a code shows that the app has it."""
    if not fresh() or NEW_APP not in session:
        return _again("factors.app_page")
    if _known_better():
        return _better_first()
    with writing(state().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        totp.use_app(someone, session[NEW_APP])
        if not totp.right(someone, request.form.get("code", "")):
            # translators: setting up an app that shows codes: the code is not the one that was expected
            problem = gettext("This code is not right. Wait for the next one in the app, and type it here.")
            return _app_page(problem), 422
        return _kept(rows, someone, "code", "app")


@blueprint.post("/second-factor/app/remove")
@enters(MINE)
def remove_app() -> Response:
    """Take the app away."""
    if not fresh():
        return _again("factors.page")
    with writing(state().engine) as rows:
        totp.forget_app(rows.get_one(Staff, person().id))
        _removed(rows, "app removed")
    # translators: shown after an app that shows codes was taken away
    flash(gettext("The app is not asked for any more."))
    return redirect(url_for(".page"))


@blueprint.post("/second-factor/codes")
@enters(MINE)
def new_codes() -> Response | str:
    """New recovery codes; the old ones work no longer."""
    if not fresh():
        return _again("factors.page")
    with writing(state().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        if not _has_step(rows, someone):
            return redirect(url_for(".page"))
        codes = _new_codes(someone)
        sign_in_changed(rows, someone, what="recovery codes")
        rows.commit()
    return _codes_page(codes)


@blueprint.get("/second-factor/passkey")
@enters(MINE)
def passkey_page() -> Response | str:
    """Make a passkey."""
    if not passkeys.possible():
        abort(404)
    if not fresh():
        return _again("factors.passkey_page")
    return _better_first() if _known_better() else _passkey_page({})


@blueprint.post("/second-factor/passkey")
@enters(MINE)
def add_passkey() -> Response | str | tuple[str, int]:
    """Keep the passkey that the browser made."""
    if not fresh():
        return _again("factors.passkey_page")
    if _known_better():
        return _better_first()
    name = clean(request.form.get("name", "")[:1000], lines=False)
    with writing(state().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        problems = _name_problems(rows, someone, name) or _keep_passkey(rows, someone, name)
        if not problems:
            return _kept(rows, someone, "passkey", "passkey")
    return _passkey_page(problems, name), 422


@blueprint.post("/second-factor/passkey/<int:key_id>/remove")
@enters(MINE)
def remove_passkey(key_id: int) -> Response:
    """Take a passkey away."""
    if not fresh():
        return _again("factors.page")
    with writing(state().engine) as rows:
        key = rows.get(Passkey, key_id) if key_id < 2**31 else None
        if key is None or key.user_id != person().id:
            abort(404)
        rows.delete(key)
        _removed(rows, "passkey removed")
    # translators: shown after a passkey was taken away
    flash(gettext("This passkey no longer opens your account."))
    return redirect(url_for(".page"))


@blueprint.get("/again")
@enters(MINE)
def again() -> str:
    """Ask for the password once more before the way to sign in is changed."""
    return render_template("account/again.html", problem="", next=ours(request.args.get("next")))


@blueprint.post("/again")
@enters(MINE)
def proved() -> Response | tuple[str, int]:
    """Go on where the password is right."""
    wanted = ours(request.form.get("next"))
    if not matches(person().password, request.form.get("password", "")):
        # translators: next to the box for the present password
        problem = gettext("This is not your password. Please try again.")
        return render_template("account/again.html", problem=problem, next=wanted), 422
    session[PROVED] = int(state().now().timestamp())
    return redirect(wanted)


def fresh() -> bool:
    """Whether this person has shown who they are within the last minutes."""
    now = state().now()
    lately = now.timestamp() - session.get(PROVED, 0) <= FRESH.total_seconds()
    return lately or naive(now) - began() <= FRESH


def _known_better() -> bool:
    """Whether only a password was shown by someone who can sign in with the district's own account: whoever guessed a
    password must not make a second step of it."""
    if strong():
        return False
    known = select(StaffIdentity.subject).where(
        StaffIdentity.staff_id == person().id, StaffIdentity.provider.in_(list(state().settings.sso))
    )
    with reading(state().engine) as rows:
        return rows.scalar(known.limit(1)) is not None


def _better_first() -> Response:
    # translators: somebody signed in with a password wants to set up a second step, but also has an account elsewhere
    flash(
        gettext("First sign out, and sign in with your account of the district. Then set up the second step."), "error"
    )
    return redirect(url_for(".page"))


def _again(view: str) -> Response:
    return redirect(url_for(AGAIN_VIEW, next=url_for(view)))


def _kept(rows: Session, someone: Staff, by: str, what: str) -> Response | str:
    """Commit a new second step, end the sessions that were begun without it, and show recovery codes if none are."""
    codes = [] if recovery_codes.left(someone.mf_recovery_codes) else _new_codes(someone)
    end_sessions(rows, someone.id, but=own_session())
    sign_in_changed(rows, someone, what=what)
    rows.commit()
    wanted = session.get(NEXT)
    renew_session(someone, by, strong=True)
    if wanted:
        session[NEXT] = wanted
    if codes:
        return _codes_page(codes)
    # translators: shown after an app or a passkey was set up
    flash(gettext("Done. You will be asked for it when you sign in."))
    return redirect(session.pop(NEXT, url_for(".page")))


def _removed(rows: Session, what: str) -> None:
    someone = rows.get_one(Staff, person().id)
    rows.flush()
    if not _has_step(rows, someone):
        someone.mf_recovery_codes = None
        weaken(rows, someone.id)
    sign_in_changed(rows, someone, what=what)
    rows.commit()


def _has_step(rows: Session, someone: Staff) -> bool:
    return totp.has_app(someone) or bool(passkeys.keys_of(rows, someone.id))


def _new_codes(someone: Staff) -> list[str]:
    codes = recovery_codes.mint(SystemRandom())
    someone.mf_recovery_codes = recovery_codes.kept(codes, state().secret(recovery_codes.RECOVERY_KEY), someone.id)
    return codes


def _keep_passkey(rows: Session, someone: Staff, name: str) -> dict[str, str]:
    try:
        passkeys.keep(rows, someone, name, request.form.get("token", ""), request.form.get("credential", ""))
    except passkeys.PasskeyRefused:
        # translators: a passkey could not be made
        return {"credential": gettext("Your browser did not make a passkey that we can use. Please try again.")}
    return {}


def _name_problems(rows: Session, someone: Staff, name: str) -> dict[str, str]:
    keys = passkeys.keys_of(rows, someone.id)
    if not 1 <= len(name) <= passkeys.NAME_MOST:
        # translators: in a form: the name of a passkey
        return {"name": gettext("Give it a name of 1 to %(most)s letters.", most=passkeys.NAME_MOST)}
    if name in [each.name for each in keys]:
        # translators: in a form: the name of a passkey
        return {"name": gettext("You have a passkey of this name. Choose another name.")}
    if len(keys) >= passkeys.MOST:
        # translators: somebody has very many passkeys
        return {"name": gettext("These are very many passkeys. Take one away first.")}
    return {}


def _page(problems: dict[str, str]) -> str:
    with reading(state().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        return render_template(
            "account/second_factor.html",
            app=totp.has_app(someone),
            keys=passkeys.keys_of(rows, someone.id),
            left=recovery_codes.left(someone.mf_recovery_codes),
            possible=passkeys.possible(),
            required=state().settings.second_factor == "required",
            problems=problems,
        )


def _app_page(problem: str) -> str:
    shown = totp.shown(session[NEW_APP], person().email)
    return render_template("account/second_factor_app.html", shown=shown, problem=problem)


def _passkey_page(problems: dict[str, str], name: str = "") -> str:
    with writing(state().engine) as rows:
        someone = rows.get_one(Staff, person().id)
        someone.fs_webauthn_user_handle = someone.fs_webauthn_user_handle or passkeys.new_handle()
        handle = someone.fs_webauthn_user_handle
        rows.commit()
    asked = passkeys.ask_for_new(someone, handle)
    return render_template("account/second_factor_passkey.html", asked=asked, problems=problems, name=name)


def _codes_page(codes: list[str]) -> str:
    return render_template("account/recovery_codes.html", codes=codes, next=session.pop(NEXT, HOME))
