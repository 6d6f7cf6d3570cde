"""
The books of the machine as one attacker sees them: they go on by themselves, with what he did among the rest, and also
after he has overwritten them.

    whole(own): untouched        onto(stored, since, own): what he left there, and what was written after that
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..tree.host_layer import installed_at
from . import records
from .doings import NOBODY, Doings
from .happenings import Event, booted_at, events
from .logs import LOGGED, Log

if TYPE_CHECKING:
    from ..persona import Persona

Clock = Callable[[], float]


class Book:
    """A file of /var/log that lines or records are added to."""

    #: Programs open it for each record, by its name; a daemon keeps a log open, whatever its name becomes.
    by_name = False

    def __init__(self, persona: Persona, clock: Clock, log: Log) -> None:
        self.persona, self.clock, self.log = persona, clock, log
        self.by_name = log.path.endswith("tmp")

    def whole(self, own: Doings | None = NOBODY) -> bytes:
        return self.log.read(self.persona, self.clock(), own or NOBODY)

    def onto(self, stored: bytes, since: float, own: Doings | None) -> bytes:
        return stored if self.log.path.endswith(".gz") else stored + self.log.since(self.persona, since, self.clock(), own or NOBODY)

    def grown(self, size: int, own: Doings | None) -> int:
        """Its length, where it is `size` without these doings."""
        added = self.log.added(self.persona, 0, self.clock(), own or NOBODY)
        if added and self.log.path.endswith(".gz"):
            return len(self.whole(own))
        return size + sum(len(text) for _, text in added)

    def changed(self, before: float, own: Doings | None) -> float:
        return max([before, *(at for at, _ in self.log.added(self.persona, 0, self.clock(), own or NOBODY))])


class Table:
    """utmp and lastlog: a record is replaced by the next one for its terminal or its account."""

    by_name = True

    def __init__(self, persona: Persona, clock: Clock, path: str) -> None:
        self.persona, self.clock, self.path = persona, clock, path

    def whole(self, own: Doings | None = NOBODY) -> bytes:
        now = self.clock()
        if self.path.endswith("lastlog"):
            return self._put(b"", max(installed_at(self.persona), now - 120 * 86_400), own)
        since = booted_at(self.persona, now)
        boot = [event for event in events(self.persona, since, now, LOGGED) if event.kind == "boot"]
        return self._put(records.wtmp(self.persona, boot), since, own)

    def onto(self, stored: bytes, since: float, own: Doings | None) -> bytes:
        return self._put(stored, since, own)

    def grown(self, size: int, own: Doings | None) -> int:
        return len(self.whole(own)) if own else size

    def changed(self, before: float, own: Doings | None) -> float:
        return max([before, *(one.at for one in (own or NOBODY).records if one.kind in ("login", "logout"))])

    def _put(self, stored: bytes, since: float, own: Doings | None) -> bytes:
        now, kinds, own = self.clock(), ("login", "logout"), own or NOBODY
        happened: list[Event] = [*events(self.persona, since, now, kinds), *own.recorded(kinds, since, now)]
        happened.sort(key=lambda event: event.at)
        if self.path.endswith("lastlog"):
            return records.lastlog(self.persona, happened, stored, own.uids)
        return records.onto_utmp(self.persona, stored, happened)
