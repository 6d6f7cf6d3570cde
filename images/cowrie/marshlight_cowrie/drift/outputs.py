"""What a command says, with other numbers or versions where drift has it so."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import altered

if TYPE_CHECKING:
    from .meeting import Meeting

#: Seconds for which the numbers of a command are altered or are not; versions, for as long as nobody would upgrade.
NUMBERS_WINDOW, VERSIONS_WINDOW = 5.0, 21_600.0


class Altered:
    """A stream of the shell (`shell/streams.py`) whose lines are changed as they are written; `felt` is told of the first."""

    def __init__(self, stream: Any, change: Callable[[bytes], bytes], felt: Callable[[], None]) -> None:
        self.stream, self.change, self.felt = stream, change, felt
        self.told = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, data: bytes) -> None:
        made = self.change(data)
        if made != data and not self.told:
            self.told = True
            self.felt()
        self.stream.write(made)


def attach(process: Any, meeting: Meeting, now: float) -> None:
    """Changes what this process will write, where its answer is one of those that are altered."""
    if meeting.course is None:
        return
    name, words = posixpath.basename(process.args[0]), process.args[1:]
    if name in altered.AMOUNTS or name in altered.PARTS:
        how = meeting.alters("fields", name, int(now / NUMBERS_WINDOW))
        if how is not None:
            process.stdout = Altered(process.stdout, lambda data: altered.numbers_of(name, data, how), noting(meeting, "fields"))
    elif name in altered.SAYS_VERSIONS or {"--version", "-V"} & set(words):
        how = meeting.alters("version", name, int(now / VERSIONS_WINDOW))
        if how is not None:
            process.stdout = Altered(process.stdout, lambda data: altered.version_of(data, how), noting(meeting, "version"))


def noting(meeting: Meeting, what: str) -> Callable[[], None]:
    return lambda: meeting.felt.note("alteration", what)
