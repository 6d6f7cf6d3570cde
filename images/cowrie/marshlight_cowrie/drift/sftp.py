"""The requests of an sftp subsystem under a drift: each waits, or fails in the words of the protocol."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..transfer.wire import Malformed
from .file_gate import FileGate
from .requests import Requests

if TYPE_CHECKING:
    from .course import Answer
    from .meeting import Meeting


class SftpDrift:
    def __init__(self, meeting: Meeting, wire: Any, subsystem: Any) -> None:
        """`subsystem`: has the `server` and the channel's `transport`."""
        from twisted.internet import reactor

        self.meeting, self.wire, self.subsystem = meeting, wire, subsystem
        self.files = FileGate(meeting, time.time)
        self.requests = Requests(meeting.answer, self.serve, reactor.callLater, time.monotonic)  # type: ignore[attr-defined]

    @property
    def idle(self) -> bool:
        """Nothing waits, and nothing is to happen to what comes."""
        return self.meeting.course is None and not self.requests.waiting

    def take(self, data: bytes) -> None:
        for packet in self.subsystem.server.packets(data):
            self.requests.take(packet)

    def serve(self, packet: bytes, answer: Answer | None) -> None:
        failure = answer.failure if answer is not None else None
        if failure == "reset":
            self.meeting.felt.note("error", "reset")
            self.requests.end()
            self.wire.reset()
            return
        server, channel = self.subsystem.server, self.subsystem.transport
        try:
            if failure == "busy":
                self.meeting.felt.note("error", "busy")
                channel.write(server.failure_of(packet))
                return
            self.files.begin(answer)
            channel.write(server.reply_to(packet))
        except Malformed:
            self.requests.end()
            channel.loseConnection()
        finally:
            self.files.begin(None)

    def end(self) -> None:
        self.requests.end()
