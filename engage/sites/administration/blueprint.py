"""The blueprint of the administration pages; their modules add the views."""

from flask import Blueprint

blueprint = Blueprint("administration", __name__, url_prefix="/staff/administration", template_folder="templates")
