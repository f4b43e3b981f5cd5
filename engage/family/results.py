"""What came of it: the promises and the figures of published checkpoints, for everybody, in every language."""

from collections.abc import Hashable
from typing import Any

from flask import Response, abort
from sqlalchemy.orm import Session

from engage.access.permits import PUBLIC
from engage.checkpoints.coverage_words import burst_line, participation
from engage.checkpoints.freeze import frozen
from engage.checkpoints.packet import cut_tables, how_to_read, kept
from engage.checkpoints.report import promises, report
from engage.checkpoints.sayings import Sayings
from engage.family.desk import desk
from engage.family.desk import front as front_today
from engage.family.door import blueprint
from engage.family.pages import draw, send
from engage.languages import catalogue
from engage.records.checkpoints import Checkpoint
from engage.records.session import reading
from engage.web.guards import enters
from engage.web.scales import chart
from engage.web.scales import how_to_read as charts_read
from engage.web.state import state

AUDIENCE = "public"


@blueprint.get("/<lang:lang>/results/")
@enters(PUBLIC)
def results_list(lang: str) -> Response:
    """Every published checkpoint, the newest first."""
    found = front_today().results
    key = ("results", lang, found)
    return send(desk().pages.get(key, lambda: draw("results_list.html", lang=lang, path="/results/", found=found)))


@blueprint.get("/<lang:lang>/results/<checkpoint_id>")
@enters(PUBLIC)
def results(lang: str, checkpoint_id: str) -> Response:
    """One published checkpoint; "not found" for one that is not published, as if it were not there."""
    if not (checkpoint_id.isascii() and checkpoint_id.isprintable()):  # PostgreSQL refuses a NUL with an error
        abort(404)
    with reading(state().engine) as session:
        found = session.get(Checkpoint, checkpoint_id)
        if found is None or found.published_on is None:
            abort(404)
        return send(desk().pages.get(_key(found, lang), lambda: draw("results.html", **_shown(session, found, lang))))


def _key(found: Checkpoint, lang: str) -> Hashable:
    """Everything the page depends on: a promise may be kept or translated after it was published."""
    said = tuple(promises(found.commitments, lang))
    tongues = tuple(each.theme.language for each in said)
    return ("results", lang, found.id, found.title, found.digest, found.published_on, said, tongues)


def _shown(session: Session, found: Checkpoint, lang: str) -> dict[str, Any]:
    document = frozen(found)
    assert document is not None  # a CHECK keeps unfrozen checkpoints unpublished
    shown = report(session, found, document, AUDIENCE, lang)
    said = Sayings(lang, catalogue(lang))
    schools = {
        (part.wave, finding.question.id): (
            chart(finding, "school", shown, said, f"w{number}-{finding.question.id}"),
            list(cut_tables("school", cut, shown, said)),
        )
        for number, part in enumerate(shown.parts)
        for finding in part.findings
        if len(cut := finding.cuts.get("school", ())) > 1 and any(group.answered for group in cut)
    }
    return {
        "lang": lang,
        "path": f"/results/{found.id}",
        "report": shown,
        "said": said,
        "schools": schools,
        "reading": [
            *how_to_read(shown, said, ranges=False),
            *([charts_read(said.words)] if any(drawn for drawn, _ in schools.values()) else []),
        ],
        "participation": lambda part: participation(part, said),
        "burst_line": lambda part: burst_line(part.burst, said),
        "kept": lambda promise: kept(promise, said),
    }
