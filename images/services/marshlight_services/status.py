"""status.json: what is in force, for the agent."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from marshlight_common.control_files import replace
from marshlight_common.event_files import utc

from . import places
from .diagnostics import say

if TYPE_CHECKING:
    from .host import Host


class Status:
    def __init__(self) -> None:
        self.ready_at: str | None = None
        self.error: str | None = None

    def write(self, host: Host) -> None:
        self.ready_at = self.ready_at or utc(time.time())
        persona, context = host.control.persona, host.control.context
        told = {
            "personaId": persona.id,
            "personaVersion": persona.version,
            "revision": context.revision,
            "readyAt": self.ready_at,
            "pid": os.getpid(),
            "lost": host.files.lost,
            "refusedConnections": host.doorkeeper.refused,
            "leftOut": host.left_out,
            **({"error": self.error} if self.error else {}),
        }
        try:
            replace(places.STATUS, json.dumps(told).encode())
        except OSError as error:
            # A full disk; the services go on.
            say("error", f"status.json not written: {error.strerror}")
