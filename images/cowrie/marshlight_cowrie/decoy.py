"""
What this process plays at the moment, and who wants to hear when that changes.

    control files --read--> Decoy.persona, .context, .egress --on_change--> filesystem, settings, open sessions
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from marshlight_common.control_files import Context, Watched, contents

from . import life, places
from .egress import Egress, read_egress
from .persona import Fields, Persona, parsed, read_persona

if TYPE_CHECKING:
    from .drift.in_force import InForce
    from .tree import Trees
    from .visits import Visits

class Decoy:
    def __init__(self) -> None:
        self._listeners: list[Callable[[Decoy], None]] = []
        self._watched = Watched((places.PERSONA, places.CONTEXT, places.EGRESS))
        self.read()

    persona: Persona
    context: Context
    egress: Egress
    #: Its file systems, once `filesystem` is installed.
    trees: Trees
    #: Who is on it, likewise.
    visits: Visits
    #: How its answers deviate, once `drift.hook` is installed.
    drift: InForce

    def read(self) -> None:
        """Takes all three files, or raises Refused and leaves what was."""
        persona = read_persona(contents(places.PERSONA))
        context = read_context(contents(places.CONTEXT))
        egress = read_egress(contents(places.EGRESS)) if places.EGRESS.exists() else Egress(())
        self.persona, self.context, self.egress = alive(persona), context, egress

    def is_started_again(self) -> bool:
        """Whether the persona's schedule has brought a start since the persona was read."""
        return life.booted_at(self.persona, time.time()) != self.persona.booted_at

    def on_change(self, listener: Callable[[Decoy], None]) -> None:
        """Calls it now, for the first persona, and after every change."""
        self._listeners.append(listener)
        listener(self)

    def tell(self) -> None:
        for listener in self._listeners:
            listener(self)

    def files_changed(self) -> bool:
        """Whether a control file is another than at the last call."""
        return self._watched.changed()


def alive(persona: Persona) -> Persona:
    """Uptime, logs and process table all go by the last start, which may be younger than the persona."""
    return replace(persona, booted_at=life.booted_at(persona, time.time()), written_start=persona.booted_at)


def read_context(raw: bytes) -> Context:
    fields = Fields(parsed(raw), "context")
    return Context(fields.text("decoy"), fields.integer("revision"))
