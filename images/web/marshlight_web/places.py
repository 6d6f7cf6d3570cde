"""Where the servers' programs are, and what is written for them: nothing of it outlives the container."""

from __future__ import annotations

import os
from pathlib import Path

# A tmpfs of the container.
RUN = Path(os.environ.get("MARSHLIGHT_WEB_RUN", "/tmp/web"))
TAP = Path(os.environ.get("MARSHLIGHT_WEB_TAP", "/opt/web/tap.so"))
NGINX = Path(os.environ.get("MARSHLIGHT_NGINX", "/usr/sbin/nginx"))
APACHE = Path(os.environ.get("MARSHLIGHT_APACHE", "/usr/sbin/apache2"))
NGINX_TYPES = Path("/etc/nginx/mime.types")
# Debian's own files: modules and the settings that they come with.
APACHE_SETTINGS = Path(os.environ.get("MARSHLIGHT_APACHE_SETTINGS", "/etc/apache2"))
APACHE_MODULES = Path(os.environ.get("MARSHLIGHT_APACHE_MODULES", "/usr/lib/apache2/modules"))
