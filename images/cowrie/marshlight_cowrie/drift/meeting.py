"""One connection and the drift: what its next answer meets, and what of that was felt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .course import Answer, Course
from .felt import Felt

if TYPE_CHECKING:
    from .in_force import InForce


class Meeting:
    def __init__(self, in_force: InForce, source: str) -> None:
        self.in_force, self.source = in_force, source
        self.felt = Felt()

    @property
    def course(self) -> Course | None:
        return self.in_force.course(self.source)

    def answer(self) -> Answer | None:
        """The next one; None: it comes as it does. A wait is felt from here on."""
        course = self.course
        if course is None:
            return None
        made = course.answer(self.in_force.others())
        if made.failure == "timeout":
            self.felt.note("error", "timeout", made.ms)
        elif made.ms > 0:
            self.felt.note("latency", course.forms, made.ms)
        return made

    def start_is_busy(self) -> bool:
        course = self.course
        busy = course is not None and course.start_is_busy()
        if busy:
            self.felt.note("error", "busy")
        return busy

    def further_is_refused(self) -> bool:
        course = self.course
        refused = course is not None and course.further_is_refused()
        if refused:
            self.felt.note("error", "refused")
        return refused

    def connection(self) -> str | None:
        """How a new connection fails: refused, busy, timeout, away; None: it is taken."""
        if self.in_force.is_away(self.source):
            self.felt.note("schedule", "refused")
            return "away"
        course = self.course
        fails = course.connection() if course is not None else None
        if fails is not None:
            self.felt.note("error", fails)
        return fails

    def alters(self, what: str, *about: object) -> float | None:
        course = self.course
        return None if course is None else course.alters(what, *about)
