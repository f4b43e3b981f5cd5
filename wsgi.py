"""For any WSGI server. `engage serve` does not need it."""

import os

from engage import create_app
from engage.config import Settings

application = create_app(Settings.read(os.environ))
