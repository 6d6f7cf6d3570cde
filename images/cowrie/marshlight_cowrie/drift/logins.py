"""The answer to a try to log in: it waits, or the connection is reset in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .meeting import Meeting


def of_ssh(auth: Any, answer: Any, method: bytes) -> Any:
    """`answer`: the Deferred of Cowrie's checkers. A `none` asks for the list of methods only, and is answered at once."""
    from twisted.internet import defer, reactor
    from twisted.internet.task import deferLater

    wire = auth.transport
    meeting: Meeting | None = getattr(wire, "drift", None)
    drawn = meeting.answer() if meeting is not None and method != b"none" else None
    if drawn is None or meeting is None:
        return answer
    if drawn.failure == "reset":
        meeting.felt.note("error", "reset")
        wire.reset()
        answer.addErrback(lambda _: None)
        return defer.Deferred()
    if drawn.ms <= 0:
        return answer
    # The server measures its own time; what drift adds lies outside of that.
    auth.began += drawn.seconds

    def still_there(result: Any) -> Any:
        # A client that left meanwhile is not let in.
        return defer.Deferred() if wire.ended else result

    answer.addBoth(lambda result: deferLater(reactor, drawn.seconds, still_there, result))
    return answer


def of_telnet(wire: Any, go_on: Callable[[], None]) -> None:
    """`go_on` tells the answer; at once where nothing delays it."""
    from twisted.internet import reactor

    meeting: Meeting | None = getattr(wire, "drift", None)
    drawn = meeting.answer() if meeting is not None else None
    if drawn is None or meeting is None:
        go_on()
    elif drawn.failure == "reset":
        meeting.felt.note("error", "reset")
        wire.transport.abortConnection()
    elif drawn.ms <= 0:
        go_on()
    else:
        reactor.callLater(drawn.seconds, lambda: None if wire.transport is None or getattr(wire, "gone", False) else go_on())  # type: ignore[attr-defined]
