"""What this process plays at the moment: the agent's files, read whole, both together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import places
from .persona import Persona, Refused, parsed, read_persona

NO_FILE = (0, 0, 0)


@dataclass(frozen=True)
class Context:
    decoy: str
    revision: int


class Control:
    persona: Persona
    context: Context

    def __init__(self) -> None:
        self.seen: tuple[tuple[int, int, int], ...] = ()
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
        """Whether a file is another than at the last call."""
        now = tuple(stamp(path) for path in (places.PERSONA, places.CONTEXT))
        different = now != self.seen
        self.seen = now
        return different


def contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path.name}: {error.strerror}") from None


def stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return NO_FILE
    return (found.st_ino, found.st_mtime_ns, found.st_size)
