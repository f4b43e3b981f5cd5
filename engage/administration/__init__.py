"""The administrator's and the translator's door: staff and words."""

from flask import Blueprint

blueprint = Blueprint("administration", __name__, url_prefix="/staff/administration", template_folder="templates")
