"""
A shell's session and the drift: the wait before a line or a command is run, the fork that fails, the connection that is
reset, and the gate of its tree.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from marshlight_common.drift import MOST_DELAY_MS

from . import outputs
from .file_gate import FileGate

if TYPE_CHECKING:
    from .course import Answer
    from .meeting import Meeting

#: What bash waits before it tries again to have a process (execute_cmd.c doubles it from here on).
FORK_AGAIN_MS = 1000.0


class SessionDrift:
    def __init__(
        self, meeting: Meeting, wire: Any, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]], forever: Callable[[], Any]
    ) -> None:
        """`wire`: the connection. `sleep` gives the turn; `forever` makes what is never done."""
        self.meeting, self.wire, self.clock, self.sleep, self.forever = meeting, wire, clock, sleep, forever
        self.files = FileGate(meeting, clock)
        self.answer: Answer | None = None

    async def before(self, answer: Answer | None = None) -> None:
        """Before a line is run: `answer` where it was drawn before. Output and what is typed ahead keep their order."""
        answer = self.meeting.answer() if answer is None else answer
        self.answer = answer
        self.files.begin(answer)
        if answer is None:
            return
        if answer.failure == "reset":
            self.meeting.felt.note("error", "reset")
            reset(self.wire)
            await self.forever()
        if answer.ms > 0:
            await self.sleep(answer.seconds)

    async def fork(self, complain: Callable[[str], None], kind: str) -> int | None:
        """
        Before a program gets a process: None, or the status of a shell that gave up. bash says that it tries again, and a
        second later there is room; the other shells give up at once.
        """
        answer = self.answer
        if answer is None or answer.failure != "busy":
            return None
        answer.failure = None
        self.meeting.felt.note("error", "busy")
        if kind != "bash":
            complain("Cannot fork" if kind == "dash" else "can't fork: Resource temporarily unavailable")
            return 2
        complain("fork: retry: Resource temporarily unavailable")
        await self.sleep(max(0.0, min(FORK_AGAIN_MS, MOST_DELAY_MS - answer.ms)) / 1000)
        return None

    def process(self, process: Any) -> None:
        outputs.attach(process, self.meeting, self.clock())


def reset(wire: Any) -> None:
    if hasattr(wire, "reset"):
        wire.reset()
    elif wire.transport is not None:
        wire.transport.abortConnection()
