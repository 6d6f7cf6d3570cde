"""
Requests of a subsystem, each with its wait, answered in their order.

    bytes -> whole packets, each due at max(now + its wait, when the one before is due) -> serve -> reply

Requests that a client sends ahead wait side by side, as on a long line: ten of them at once take as long as one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .course import Answer


class Requests:
    def __init__(
        self,
        answer: Callable[[], Answer | None],
        serve: Callable[[bytes, Answer | None], None],
        later: Callable[[float, Callable[[], None]], Any],
        clock: Callable[[], float],
    ) -> None:
        """`serve(packet, answer)` is called for one after the other. `later(seconds, call)` and `clock` are the reactor's."""
        self.answer, self.serve, self.later, self.clock = answer, serve, later, clock
        self.waiting: deque[tuple[float, bytes, Answer | None]] = deque()
        self.timer: Any = None
        self.ended = False

    def take(self, packet: bytes) -> None:
        answer = self.answer()
        if self.ended:
            return
        if not self.waiting and (answer is None or answer.ms <= 0):
            self.serve(packet, answer)
            return
        due = self.clock() + (answer.seconds if answer is not None else 0.0)
        if self.waiting:
            due = max(due, self.waiting[-1][0])
        self.waiting.append((due, packet, answer))
        self.wake()

    def wake(self) -> None:
        if self.timer is None and self.waiting and not self.ended:
            self.timer = self.later(max(0.0, self.waiting[0][0] - self.clock()), self.turn)

    def turn(self) -> None:
        self.timer = None
        while self.waiting and not self.ended and self.waiting[0][0] <= self.clock():
            _, packet, answer = self.waiting.popleft()
            self.serve(packet, answer)
        self.wake()

    def then(self, call: Callable[[], None]) -> None:
        """After what waits has been answered."""
        if not self.waiting:
            call()
        else:
            self.later(max(0.0, self.waiting[-1][0] - self.clock()) + 0.001, lambda: self.then(call))

    def end(self) -> None:
        self.ended = True
        self.waiting.clear()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
