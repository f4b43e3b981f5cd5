"""The blueprint of the district pages; their modules add the views."""

from flask import Blueprint

blueprint = Blueprint("district", __name__, url_prefix="/staff/district", template_folder="templates")
