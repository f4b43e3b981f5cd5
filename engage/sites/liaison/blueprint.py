"""The liaison's door itself: the rooms behind it hang their pages here."""

from flask import Blueprint

blueprint = Blueprint("liaison", __name__, url_prefix="/staff/liaison", template_folder="templates")
