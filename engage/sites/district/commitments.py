"""Promises: what families said on a theme, what the district will do, who is in charge, and the due date."""

from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import Field, FormField, SelectField, ValidationError

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.services.checkpoints.wording import FigureWording
from engage.sites.district.blueprint import blueprint
from engage.sites.district.draft_figures import require_checkpoint
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint, Commitment, CommitmentWords
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import EditForm
from engage.web.forms import DayField, EnclosedForm, LineField, TextField
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

STAGES = ("planned", "under_way", "done", "dropped")
MOST = 40  # promises of one checkpoint
SOURCE = "en"  # the language that every promise must have


def _require_words(form: "CommitmentTextForm", field: Field) -> None:
    """All three texts of a language must be filled in, or none. Raises ValidationError."""
    if not field.data and not field.errors and (form.is_source or not form.is_empty):
        # translators: staff form: one of three boxes of a language was left empty
        raise ValidationError(gettext("Fill in this box, or clear all three boxes for this language."))


class CommitmentTextForm(EnclosedForm):
    """A promise's texts in one language."""

    is_source = False

    theme = LineField(validators=[_require_words])
    you_said = TextField(validators=[_require_words])
    we_will = TextField(validators=[_require_words])

    @property
    def is_empty(self) -> bool:
        """Whether no text is filled in."""
        return not any(field.data for field in self)


class SourceTextForm(CommitmentTextForm):
    """A promise's English texts, which are required."""

    is_source = True


class CommitmentWordsForm(EditForm):
    """A promise's texts: an enclosed form for each language."""

    @property
    def spoken(self) -> dict[str, CommitmentTextForm]:
        """The forms by language."""
        return {tag: self[_field_name(tag)].form for tag in LANGUAGES}


def _field_name(tag: str) -> str:
    return f"words_{tag}"


for _tag in LANGUAGES:
    _form = SourceTextForm if _tag == SOURCE else CommitmentTextForm
    setattr(CommitmentWordsForm, _field_name(_tag), FormField(_form, name=_tag))


class CommitmentForm(CommitmentWordsForm):
    """A promise, with its texts in every language."""

    owner = LineField()
    due = DayField()
    stage = SelectField(default=STAGES[0])

    def __init__(self, commitment: Commitment | None = None) -> None:
        words = {_field_name(each.language): each for each in commitment.words} if commitment else {}
        super().__init__(obj=commitment, data={"stage": commitment.status} | words if commitment else None)
        wording = FigureWording(language().tag, catalogue(language().tag))
        self.stage.choices = [(code, wording.status(code)) for code in STAGES]

    def validate_owner(self, field: LineField) -> None:
        """The person in charge is required. Raises ValidationError."""
        if not field.data and not field.errors:
            # translators: staff form
            raise ValidationError(gettext("Enter who is in charge."))

    def hold(self, commitment: Commitment) -> None:
        """Keep the published values, which families have read: the English texts and the due date. Translations can be
        corrected."""
        self.due.process(None, commitment.due)
        for words in commitment.words:
            if words.language == SOURCE:
                self.spoken[SOURCE].process(obj=words)

    def fill(self, commitment: Commitment) -> None:
        """Store the form in the commitment."""
        commitment.owner, commitment.due = self.owner.data or "", self.due.data
        commitment.status = self.stage.data
        stored = {each.language: each for each in commitment.words}
        commitment.words = [_fill_words(stored, tag, words) for tag, words in self.spoken.items() if not words.is_empty]


def _fill_words(stored: Mapping[str, CommitmentWords], tag: str, words: CommitmentTextForm) -> CommitmentWords:
    filled = stored.get(tag) or CommitmentWords(language=tag)
    words.populate_obj(filled)
    return filled


@blueprint.get("/checkpoints/<checkpoint_id>/promises/new")
@enters("write commitments")
def new_commitment(checkpoint_id: str) -> str:
    """The form."""
    with read_session(runtime().engine) as session:
        return _render_page(require_checkpoint(session, checkpoint_id), CommitmentForm(), new=True)


@blueprint.post("/checkpoints/<checkpoint_id>/promises/new")
@enters("write commitments")
def add_commitment(checkpoint_id: str) -> Response | tuple[str, int]:
    """Store a new promise after the existing ones."""
    form = CommitmentForm()
    with write_session(runtime().engine) as session:
        checkpoint = require_checkpoint(session, checkpoint_id)
        if not form.validate():
            return _render_page(checkpoint, form, new=True), 422
        if len(checkpoint.commitments) >= MOST:
            abort(400)
        last = max((each.position for each in checkpoint.commitments), default=0)
        commitment = Commitment(position=last + 1)
        form.fill(commitment)
        checkpoint.commitments.append(commitment)
        log_event(session, "change promise", checkpoint_id, promise=commitment.position, status=commitment.status)
        session.commit()
    return _redirect_after_save(checkpoint_id)


@blueprint.get("/checkpoints/<checkpoint_id>/promises/<int:number>")
@enters("write commitments")
def commitment(checkpoint_id: str, number: int) -> str:
    """The form with a promise's values."""
    with read_session(runtime().engine) as session:
        checkpoint = require_checkpoint(session, checkpoint_id)
        return _render_page(checkpoint, CommitmentForm(_require_commitment(checkpoint, number)), new=False)


@blueprint.post("/checkpoints/<checkpoint_id>/promises/<int:number>")
@enters("write commitments")
def change_commitment(checkpoint_id: str, number: int) -> Response | tuple[str, int]:
    """Change a promise's texts or its status."""
    with write_session(runtime().engine) as session:
        checkpoint = require_checkpoint(session, checkpoint_id)
        stored = _require_commitment(checkpoint, number)
        form = CommitmentForm(stored)
        if checkpoint.published_on:
            form.hold(stored)
        if not form.validate():
            return _render_page(checkpoint, form, new=False), form.refusal_status
        form.fill(stored)
        log_event(session, "change promise", checkpoint_id, promise=stored.position, status=stored.status)
        session.commit()
    return _redirect_after_save(checkpoint_id)


def _require_commitment(checkpoint: Checkpoint, number: int) -> Commitment:
    match = next((each for each in checkpoint.commitments if each.id == number), None)
    return match or abort(404)


def _render_page(checkpoint: Checkpoint, form: CommitmentForm, new: bool) -> str:
    fixed = checkpoint.published_on is not None and not new
    return render_template("district/commitment.html", checkpoint=checkpoint, form=form, fixed=fixed)


def _redirect_after_save(checkpoint_id: str) -> Response:
    # translators: shown to staff after a promise to families was stored
    flash(gettext("The promise was saved."))
    return redirect(url_for("district.checkpoint", checkpoint_id=checkpoint_id) + "#promises")
