"""The liaison's door: print, key what comes back, carry questions and answers."""

from flask import Blueprint

blueprint = Blueprint("liaison", __name__, url_prefix="/staff/liaison", template_folder="templates")
