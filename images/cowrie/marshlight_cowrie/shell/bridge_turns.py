"""
The coroutines of one log-in's commands, run in slices by the reactor.

    Scheduler.wake -> reactor -> run_slice (a few ms) -> reactor ...; past its allowance, with pauses between
"""

from __future__ import annotations

from typing import Any

from .tasks import Scheduler

#: Seconds at a time; a keystroke of another session waits no longer.
SLICE = 0.004
#: CPU seconds that a session gets at full speed; then one slice in so many.
ALLOWANCE = 3.0
PAUSE_AFTER = 0.08


class Turns:
    def __init__(self) -> None:
        self.scheduler = Scheduler(self.wake)
        self.timer: Any = None
        self.closed = False

    def wake(self) -> None:
        if self.timer is None and not self.closed:
            from twisted.internet import reactor

            pause = PAUSE_AFTER if self.scheduler.used > ALLOWANCE else 0.0
            self.timer = reactor.callLater(pause, self.turn)  # type: ignore[attr-defined]

    def turn(self) -> None:
        self.timer = None
        if self.scheduler.run_slice(SLICE):
            self.wake()

    def close(self) -> None:
        """What runs is ended."""
        self.closed = True
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.scheduler.close()
