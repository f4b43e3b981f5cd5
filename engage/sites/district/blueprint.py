"""The district leader's door itself: the rooms behind it hang their pages here."""

from flask import Blueprint

blueprint = Blueprint("district", __name__, url_prefix="/staff/district", template_folder="templates")
