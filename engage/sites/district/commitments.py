"""Promises: what families said on a theme, what the district will do, who does it and by when."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form, SelectField

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.services.checkpoints.wording import FigureWording
from engage.sites.district.blueprint import blueprint
from engage.sites.district.checkpoint import require_checkpoint
from engage.sites.district.fields import add_problem
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint, Commitment, CommitmentWords
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import DayField, LineField, TextField
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

STAGES = ("planned", "under_way", "done", "dropped")
MOST = 40  # promises of one checkpoint; more than anybody can keep
SOURCE = "en"  # the words every promise must have


class CommitmentTextForm(Form):  # type: ignore[misc]  # wtforms has no types
    """A promise's words in one language."""

    theme = LineField()
    you_said = TextField()
    we_will = TextField()

    @property
    def empty(self) -> bool:
        """Whether nothing was written in this language."""
        return not any(field.data for field in self)

    def whole(self) -> bool:
        """Whether all three are there; if not, the empty ones say so."""
        for name, field in self._fields.items():
            if not field.data and not field.errors:
                # translators: staff form: one of three boxes of a language was left empty
                add_problem(self, name, gettext("Fill in this box, or clear all three boxes for this language."))
        return not any(field.errors for field in self)


class CommitmentForm(Form):  # type: ignore[misc]  # wtforms has no types
    """A promise, with its words in every language (`spoken`, by tag)."""

    owner = LineField()
    due = DayField()
    stage = SelectField(choices=STAGES)

    def __init__(self, given: Any = None, kept: Commitment | None = None) -> None:
        super().__init__(given, obj=kept, stage=kept.status if kept else STAGES[0])
        words = {each.language: each for each in kept.words} if kept else {}
        self.spoken = {tag: CommitmentTextForm(given, obj=words.get(tag), prefix=f"{tag}-") for tag in LANGUAGES}

    def fits(self) -> bool:
        """Whether the promise can be kept as it is; if not, the fields say why."""
        self.validate()
        for tag, words in self.spoken.items():
            words.validate()
            if tag == SOURCE or not words.empty:
                words.whole()
        if not self.owner.data and not self.owner.errors:
            # translators: staff form
            add_problem(self, "owner", gettext("Enter who is in charge."))
        return not self.problems

    @property
    def problems(self) -> dict[str, list[str]]:
        """What is wrong, by the name of the field."""
        fields = [*self, *(field for words in self.spoken.values() for field in words)]
        return {field.name: list(field.errors) for field in fields if field.errors}

    def hold(self, commitment: Commitment) -> None:
        """Keep what families have read as it was: the English words and the day. Translations may be mended."""
        self.due.data = commitment.due
        for words in commitment.words:
            if words.language == SOURCE:
                self.spoken[SOURCE].process(obj=words)

    def fill(self, commitment: Commitment) -> None:
        """Write the promise down."""
        commitment.owner, commitment.due = self.owner.data or "", self.due.data
        commitment.status = self.stage.data
        kept = {each.language: each for each in commitment.words}
        commitment.words = [_fill_words(kept, tag, words) for tag, words in self.spoken.items() if not words.empty]


def _fill_words(kept: Mapping[str, CommitmentWords], tag: str, words: CommitmentTextForm) -> CommitmentWords:
    written = kept.get(tag) or CommitmentWords(language=tag)
    written.theme, written.you_said, written.we_will = words.theme.data, words.you_said.data, words.we_will.data
    return written


@blueprint.get("/checkpoints/<checkpoint_id>/promises/new")
@enters("write commitments")
def new_commitment(checkpoint_id: str) -> str:
    """The form."""
    with read_session(runtime().engine) as session:
        return _render_page(require_checkpoint(session, checkpoint_id), CommitmentForm(), new=True)


@blueprint.post("/checkpoints/<checkpoint_id>/promises/new")
@enters("write commitments")
def add_commitment(checkpoint_id: str) -> Response | tuple[str, int]:
    """Write a new promise down, after those that are there."""
    form = CommitmentForm(request.form)
    with write_session(runtime().engine) as session:
        checkpoint = require_checkpoint(session, checkpoint_id)
        if not form.fits():
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
    """The form, filled with a promise."""
    with read_session(runtime().engine) as session:
        checkpoint = require_checkpoint(session, checkpoint_id)
        return _render_page(checkpoint, CommitmentForm(None, _require_commitment(checkpoint, number)), new=False)


@blueprint.post("/checkpoints/<checkpoint_id>/promises/<int:number>")
@enters("write commitments")
def change_commitment(checkpoint_id: str, number: int) -> Response | tuple[str, int]:
    """Change a promise: its words, or how far it is."""
    form = CommitmentForm(request.form)
    with write_session(runtime().engine) as session:
        checkpoint = require_checkpoint(session, checkpoint_id)
        kept = _require_commitment(checkpoint, number)
        if checkpoint.published_on:
            form.hold(kept)
        if not form.fits():
            return _render_page(checkpoint, form, new=False), 422
        form.fill(kept)
        log_event(session, "change promise", checkpoint_id, promise=kept.position, status=kept.status)
        session.commit()
    return _redirect_after_save(checkpoint_id)


def _require_commitment(checkpoint: Checkpoint, number: int) -> Commitment:
    found = next((each for each in checkpoint.commitments if each.id == number), None)
    return found or abort(404)


def _render_page(checkpoint: Checkpoint, form: CommitmentForm, new: bool) -> str:
    said = FigureWording(language().tag, catalogue(language().tag))
    stages = [(code, said.status(code)) for code in STAGES]
    fixed = checkpoint.published_on is not None and not new
    return render_template("district/commitment.html", checkpoint=checkpoint, form=form, stages=stages, fixed=fixed)


def _redirect_after_save(checkpoint_id: str) -> Response:
    # translators: shown to staff after a promise to families was stored
    flash(gettext("The promise was saved."))
    return redirect(url_for("district.checkpoint", checkpoint_id=checkpoint_id) + "#promises")
