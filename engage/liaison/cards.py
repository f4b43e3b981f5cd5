"""The pointing card of a survey: pictures and numbers for a family that is asked aloud."""

from flask import abort
from werkzeug.wrappers import Response

from engage.liaison.door import blueprint
from engage.web.guards import enters


@blueprint.get("/card/<wave_id>/<tag>.pdf")
@enters("print paper surveys")
def pointing_card(wave_id: str, tag: str) -> Response:
    """The card in one of the wave's languages."""
    abort(404)
