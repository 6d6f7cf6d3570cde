"""
Coroutines of one session, in turns, without an event loop of their own: the owner calls `run_slice` when it has time.

    Scheduler.run_slice --step--> Task (coroutine) --await--> Signal --set--> Task is ready again --wake--> owner
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Interrupted(BaseException):
    """A signal that ends what runs; `number` as in signal(7)."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signal:
    """Set once; whoever awaits it goes on with its value."""

    __slots__ = ("done", "value", "error", "_callbacks")

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self._callbacks: list[Callable[[], None]] = []

    def set(self, value: Any = None) -> None:
        if not self.done:
            self.done, self.value = True, value
            self._call()

    def fail(self, error: BaseException) -> None:
        if not self.done:
            self.done, self.error = True, error
            self._call()

    def then(self, callback: Callable[[], None]) -> None:
        if self.done:
            callback()
        else:
            self._callbacks.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def _call(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def __await__(self) -> Generator[Any, None, Any]:
        if not self.done:
            yield self
        if self.error is not None:
            raise self.error
        return self.value


class _Turn:
    """Awaited, it lets the others have theirs."""

    def __await__(self) -> Generator[Any, None, None]:
        yield None


PAUSE = _Turn()


class Task(Signal):
    """A coroutine under way; set with what it returns."""

    __slots__ = ("coroutine", "scheduler", "waits_for", "thrown", "queued")

    def __init__(self, scheduler: Scheduler, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__()
        self.scheduler, self.coroutine = scheduler, coroutine
        self.waits_for: Signal | None = None
        self.thrown: BaseException | None = None
        self.queued = False

    def interrupt(self, error: BaseException) -> None:
        """Raises it in the coroutine, where it waits."""
        if self.done:
            return
        if self.waits_for is not None:
            self.waits_for.forget(self.ready)
            self.waits_for = None
        self.thrown = error
        self.ready()

    def ready(self) -> None:
        if not self.queued and not self.done:
            self.queued = True
            self.scheduler.enqueue(self)

    def step(self) -> None:
        self.queued = False
        self.waits_for = None
        thrown, self.thrown = self.thrown, None
        try:
            wanted = self.coroutine.throw(thrown) if thrown is not None else self.coroutine.send(None)
        except StopIteration as stop:
            self.scheduler.tasks.discard(self)
            self.set(stop.value)
        except BaseException as error:
            self.scheduler.tasks.discard(self)
            self.fail(error)
        else:
            if wanted is None:
                self.ready()
            else:
                self.waits_for = wanted
                wanted.then(self.ready)


class Scheduler:
    """`wake` is called when there is something to do and nobody was told yet."""

    def __init__(self, wake: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.wake, self.clock = wake, clock
        self.tasks: set[Task] = set()
        self.used = 0.0
        self._ready: deque[Task] = deque()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> Task:
        task = Task(self, coroutine)
        self.tasks.add(task)
        task.ready()
        return task

    def enqueue(self, task: Task) -> None:
        self._ready.append(task)
        if len(self._ready) == 1:
            self.wake()

    @property
    def idle(self) -> bool:
        return not self._ready

    def run_slice(self, seconds: float) -> bool:
        """Runs what is ready for about that long; whether something is ready still."""
        start = self.clock()
        until = start + seconds
        while self._ready:
            self._ready.popleft().step()
            if self.clock() >= until:
                break
        self.used += self.clock() - start
        return bool(self._ready)

    def close(self, number: int = 1) -> None:
        """Ends all that runs, as a hang-up does."""
        for task in list(self.tasks):
            task.interrupt(Interrupted(number))
        for _ in range(1000):
            if not self._ready:
                break
            self._ready.popleft().step()
        for task in list(self.tasks):
            task.coroutine.close()
        self.tasks.clear()
        self._ready.clear()
