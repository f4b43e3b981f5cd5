"""For any WSGI server. `engage serve` does not need it."""

import os

from engage import create_app
from engage.base.config import Settings

os.umask(0o077)  # what the site writes is for its own account only
application = create_app(Settings.read(os.environ))
