"""
Many conversations in one thread: each is a generator that yields what it waits for, as (socket or None, what for, seconds),
and gets back whether it came: False when the seconds were over first.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Callable, Generator

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
Wait = tuple["socket.socket | int | None", int, float]
Work = Generator[Wait, bool, None]


class Task:
    """One generator, and how often it went on: a wait that is over is known by its number."""

    __slots__ = ("turn", "waits", "work")

    def __init__(self, work: Work) -> None:
        self.work, self.turn, self.waits = work, 0, None


class Loop:
    def __init__(self, failed: Callable[[Exception], None]) -> None:
        # `select` takes microseconds; the others round a pause up to whole milliseconds.
        self.selector = selectors.SelectSelector()
        self.timers: list[tuple[float, int, Task, int]] = []
        self.order = itertools.count()
        self.failed = failed

    def start(self, work: Work) -> Task:
        task = Task(work)
        self._go_on(task, None)
        return task

    def end(self, task: Task) -> None:
        """Its `finally` closes what it has open."""
        self._unwait(task)
        task.turn += 1
        task.work.close()

    def run(self) -> None:
        """Until nothing is waited for."""
        while self.timers:
            wait = max(0.0, self.timers[0][0] - time.monotonic())
            for key, _ in self.selector.select(wait):
                self._go_on(key.data, True)
            while self.timers and self.timers[0][0] <= time.monotonic():
                _, _, task, turn = heapq.heappop(self.timers)
                if task.turn == turn:
                    self._go_on(task, False)

    def _go_on(self, task: Task, came: bool | None) -> None:
        self._unwait(task)
        task.turn += 1
        try:
            waits, events, seconds = task.work.send(came)  # type: ignore[arg-type]
        except StopIteration:
            return
        except Exception as error:
            self.failed(error)
            return
        if waits is not None:
            self.selector.register(waits, events, task)
            task.waits = waits
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), task, task.turn))

    def _unwait(self, task: Task) -> None:
        if task.waits is not None:
            self.selector.unregister(task.waits)
            task.waits = None


def sleep(seconds: float) -> Generator[Wait, bool, None]:
    yield None, 0, max(0.0, seconds)


def sent(to: socket.socket, data: bytes, seconds: float) -> Generator[Wait, bool, None]:
    view = memoryview(data)
    while view:
        try:
            view = view[to.send(view) :]
        except BlockingIOError:
            if not (yield to, WRITE, seconds):
                raise TimeoutError("not taken") from None


def received(of: socket.socket, most: int, seconds: float) -> Generator[Wait, bool, bytes]:
    """What has come, at most so many bytes; nothing at the end."""
    if not (yield of, READ, seconds):
        raise TimeoutError("no answer")
    return of.recv(most)
