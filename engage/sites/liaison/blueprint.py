"""The blueprint of the liaison pages; their modules add the views."""

from flask import Blueprint

blueprint = Blueprint("liaison", __name__, url_prefix="/staff/liaison", template_folder="templates")
