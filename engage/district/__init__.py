"""The district leader's door: waves, checkpoints, promises and what families see of them."""

from flask import Blueprint

blueprint = Blueprint("district", __name__, url_prefix="/staff/district", template_folder="templates")
