"""
The drift in force: control/drift.json, watched beside the persona.

    file changed -> usable? -- yes --> `drift`, `mark`; each source starts anew -> what is asked next goes by it
                            -- no ---> `error`; what was in force stays
    no file: no drift

Open sessions hold a Meeting, which asks for the course of its source at each answer: they feel a change with the next.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from marshlight_common import drift as common
from marshlight_common.control_files import Refused, Watched, contents

from .course import Course
from .meeting import Meeting

#: Sources whose numbers are kept; the one that was heard of longest ago starts anew past that.
MOST_SOURCES = 512
LARGEST_FILE = 1 << 19
NONE = common.InForce()


class InForce:
    def __init__(self, path: Path, now: Callable[[], datetime], others: Callable[[], int]) -> None:
        """`now`: in the host's own time zone. `others`: sessions that are open besides one."""
        self.path, self.now, self.others = path, now, others
        self.drift = NONE
        self.error: str | None = None
        self.courses: OrderedDict[str, Course] = OrderedDict()
        self.watched = Watched((path,))

    def look(self) -> bool:
        """Whether the file is another than at the last call."""
        if not self.watched.changed():
            return False
        try:
            raw = contents(self.path) if self.path.exists() else b"{}"
            if len(raw) > LARGEST_FILE:
                raise Refused(f"drift.json: {len(raw)} bytes, more than {LARGEST_FILE}")
            drift = common.read(raw)
        except Refused as refused:
            self.error = str(refused)
            return True
        self.error = None
        if drift != self.drift:
            self.drift = drift
            self.courses.clear()
        return True

    @property
    def mark(self) -> str:
        return self.drift.mark

    def course(self, source: str) -> Course | None:
        """None: nothing is to happen to this source."""
        if self.drift.mark == NONE.mark:
            return None
        found = self.courses.get(source)
        if found is not None:
            self.courses.move_to_end(source)
            return found
        deviation = self.drift.of(source)
        if deviation is None:
            return None
        found = self.courses[source] = Course(deviation, source)
        if len(self.courses) > MOST_SOURCES:
            self.courses.popitem(last=False)
        return found

    def is_away(self, source: str) -> bool:
        """Whether the schedule has this hour without an answer."""
        deviation = self.drift.of(source)
        return deviation is not None and common.in_hours(deviation.effects, self.now())

    def meeting(self, source: str) -> Meeting:
        return Meeting(self, source)
