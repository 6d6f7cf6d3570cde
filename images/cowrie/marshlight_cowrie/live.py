"""
Keeps what is played in step with the control files, and says so in out/status.json.

    file changed -> read all -> usable? -- yes --> tell the hooks -> status (personaVersion, revision)
                                        -- no ---> keep the old one -> status (error), a line in the log
    drift.json changed -> the same, by itself: status (drift, driftError); persona and sessions are left alone
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from marshlight_common.control_files import replace
from marshlight_common.event_files import utc

from . import diagnostics, places
from .drift import hook as drift
from .persona import Refused
from .ssh.algorithms import current_offer

if TYPE_CHECKING:
    from .decoy import Decoy
    from .limits import Doorkeeper
    from .sink import Sink

EVERY_SECONDS = 0.25
BEAT_SECONDS = 5


class Live:
    def __init__(self, decoy: Decoy, events: Sink, door: Doorkeeper) -> None:
        self.decoy, self.events, self.door = decoy, events, door
        self.ready_at: str | None = None
        self.error: str | None = None
        self.services = services_of(decoy)

    def start(self, reactor: Any) -> None:
        from twisted.internet.task import LoopingCall

        missing = sorted(set(self.services.values()) - listening_ports(reactor))
        if missing:
            self.error = f"not listening on port {', '.join(map(str, missing))}"
            diagnostics.say("error", self.error)
        else:
            self.ready_at = utc(time.time())
        self.decoy.files_changed()
        self.write_status()
        LoopingCall(self.look).start(EVERY_SECONDS, now=False)
        LoopingCall(beat).start(BEAT_SECONDS)

    def look(self) -> None:
        self.events.files.tell()
        drift_changed = drift.look(self.decoy)
        if not self.decoy.files_changed():
            if drift_changed:
                self.write_status()
            return
        self.error = None
        try:
            self.decoy.read()
        except Refused as refused:
            self.error = str(refused)
            diagnostics.say("error", f"control files refused, the persona in force stays: {refused}")
        else:
            self.decoy.tell()
            if services_of(self.decoy) != self.services:
                self.error = "the services of the persona changed: start the container again"
        self.write_status()

    def write_status(self) -> None:
        offer = current_offer(self.decoy)
        status = {
            "personaId": self.decoy.persona.id,
            "personaVersion": self.decoy.persona.version,
            "revision": self.decoy.context.revision,
            "readyAt": self.ready_at,
            "pid": os.getpid(),
            "lost": self.events.files.lost,
            "refusedConnections": self.door.refused,
            "leftOut": offer.left_out if offer else [],
            "drift": self.decoy.drift.mark,
            **({"driftError": self.decoy.drift.error} if self.decoy.drift.error else {}),
            **({"error": self.error} if self.error else {}),
        }
        try:
            replace(places.STATUS, json.dumps(status).encode() + b"\n")
        except OSError as error:
            diagnostics.say("error", f"status.json not written: {error.strerror}")


def beat() -> None:
    """A file of its own: whoever waits for a new status is not woken by it."""
    try:
        places.ALIVE.touch()
    except OSError as error:
        diagnostics.say("error", f"no heartbeat: {error.strerror}")


def services_of(decoy: Decoy) -> dict[str, int]:
    persona = decoy.persona
    return {
        name: port for name, port, there in (("ssh", 22, persona.ssh), ("telnet", 23, persona.telnet)) if there is not None
    }


def listening_ports(reactor: Any) -> set[int]:
    from twisted.internet.tcp import Port

    return {reader.getHost().port for reader in reactor.getReaders() if isinstance(reader, Port)}
