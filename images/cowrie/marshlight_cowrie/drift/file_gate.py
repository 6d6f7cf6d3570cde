"""
The tree as drift lets a session see it: a View asks here as it opens, reads and writes; what is listed, `listed.py`.

    answer fails by its disk -> the first data file it touches: read EIO, write ENOSPC; the same file again in that answer
    altered contents, listing -> by path and window of time, so that what is read twice in a row is the same
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import altered
from .data_paths import LISTED, is_data
from .listed import Listed

if TYPE_CHECKING:
    from .course import Answer
    from .meeting import Meeting

#: Seconds for which a file is altered one way.
WINDOW = 300.0


class FileGate:
    def __init__(self, meeting: Meeting, clock: Callable[[], float]) -> None:
        self.meeting, self.clock = meeting, clock
        #: The one that is being given; between two, nothing fails.
        self.answer: Answer | None = None
        self.broken: str | None = None
        self.told = False
        #: Told of each file that could not be read: the kernel says so.
        self.unread: Callable[[str], None] = lambda path: None

    def begin(self, answer: Answer | None) -> None:
        self.answer, self.broken, self.told = answer, None, False

    def touch(self, path: str, *, writes: bool) -> None:
        """Raises OSError as the kernel does of a disk that is broken or full."""
        if self.answer is None or self.answer.failure != "disk" or not is_data(path):
            return
        if self.broken is None:
            self.broken = path
            self.meeting.felt.note("error", "disk")
        if self.broken == path:
            if not writes and not self.told:
                self.told = True
                self.unread(path)
            number = errno.ENOSPC if writes else errno.EIO
            raise OSError(number, os.strerror(number), path)

    def contents(self, path: str, contents: bytes) -> bytes:
        """Of a file that the attacker has not written."""
        if self.meeting.course is None or not is_data(path):
            return contents
        window = int(self.clock() / WINDOW)
        for what, change in (("bytes", altered.end_of), ("contents", altered.inside_of)):
            how = self.meeting.alters(what, path, window)
            if how is not None:
                made = change(contents, how)
                if made != contents:
                    self.meeting.felt.note("alteration", what)
                contents = made
        return contents

    # Listings, for Listed

    @property
    def period(self) -> tuple[int, object] | None:
        """The same as long as no listing becomes another; None: none is."""
        course = self.meeting.course
        if course is None or not any(effect.word == "listing" for effect in course.alterations):
            return None
        return int(self.clock() / WINDOW), course

    def listing(self, path: str) -> float | None:
        return self.meeting.alters("listing", path, int(self.clock() / WINDOW)) if is_data(path, LISTED) else None

    def noted_listing(self) -> None:
        self.meeting.felt.note("alteration", "listing")

    def over(self, overlay: Any) -> Listed:
        return Listed(overlay, self)
