"""
Which web services a real server plays, in a container of its own beside this one (images/web). `shared/services.ts`
says the same to the controller, and a test holds both together.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .persona import Service

REAL = {"nginx": "nginx", "apache": "apache", "apache httpd": "apache"}
PRINTABLE = re.compile(r"[\x20-\x7e]+")


def real_server(service: Service) -> str | None:
    """nginx, apache, or None for what has no real server here or is set to do what that one would not."""
    if service.kind not in ("http", "https"):
        return None
    flavour = REAL.get(service.product.lower())
    if flavour is None or service.text("flavour", flavour) != flavour or service.text("auth") == "digest":
        return None
    if not PRINTABLE.fullmatch(service.text("server", flavour)):
        return None
    return flavour if all(page.status == 200 for page in service.pages.values()) else None


def played_beside(service: Service) -> bool:
    """Whether another container of this decoy has it. Without that container all of it is played here."""
    return "web" in os.environ.get("MARSHLIGHT_BESIDE", "").split(",") and real_server(service) is not None
