"""The administrator's door itself: the rooms behind it hang their pages here."""

from flask import Blueprint

blueprint = Blueprint("administration", __name__, url_prefix="/staff/administration", template_folder="templates")
