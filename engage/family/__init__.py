"""The family's door: choose a language, answer, ask back, read what came of it."""

from flask import Blueprint

blueprint = Blueprint("family", __name__, template_folder="templates")
