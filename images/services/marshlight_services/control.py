"""What this process plays at the moment: the agent's files, read whole, both together."""

from __future__ import annotations

from marshlight_common.control_files import Context, Refused, Watched, contents

from . import places
from .persona import Persona, parsed, read_persona


class Control:
    persona: Persona
    context: Context

    def __init__(self) -> None:
        self.watched = Watched((places.PERSONA, places.CONTEXT))
        self.changed()
        self.read()

    def read(self) -> None:
        """Takes both files, or raises Refused and leaves what was."""
        persona = read_persona(contents(places.PERSONA))
        fields = parsed(contents(places.CONTEXT), "context")
        decoy, revision = fields.get("decoy"), fields.get("revision")
        if not isinstance(decoy, str) or not isinstance(revision, int):
            raise Refused("context has no decoy and revision")
        self.persona, self.context = persona, Context(decoy, revision)

    def changed(self) -> bool:
        return self.watched.changed()
