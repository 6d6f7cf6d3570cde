"""The sftp subsystem of Cowrie's log-ins is ours; what is uploaded goes where Cowrie's captured files go."""

from __future__ import annotations

import contextlib
import hashlib
import os
import posixpath
import re
import time
from typing import TYPE_CHECKING, Any

from marshlight_common import control_files

from .. import diagnostics, places
from ..drift import kernel_lines
from ..drift.sftp import SftpDrift
from ..life.calendar import local
from ..limits import read_limits
from ..signatures import expect, expect_attribute
from .sftp import SftpServer
from .wire import Malformed

if TYPE_CHECKING:
    from ..decoy import Decoy
    from ..limits import Limits
    from ..shell.ports import Process

HALF_A_YEAR = 365 * 86_400 / 2


def install(decoy: Decoy, limits: Limits) -> None:
    from cowrie.shell import avatar
    from twisted.internet.protocol import Protocol

    expect(avatar.CowrieUser.__init__, "(self, username, server)")
    expect_attribute(avatar.CowrieUser, "lookupChannel")
    made = avatar.CowrieUser.__init__

    class Subsystem(Protocol):  # type: ignore[misc]
        def __init__(self, data: bytes | None = None, avatar: Any = None) -> None:
            self.avatar = avatar

        def connectionMade(self) -> None:
            user = self.avatar
            connection = user.conn.transport
            from ..filesystem import sign_in

            sign_in(decoy.trees, user, user.server, connection.transport.getPeer().host, connection.entry.key)
            key, uid, gids = user.server.marshlight_account
            view = decoy.trees.view(key, uid, gids)
            meeting = getattr(connection, "drift", None)
            self.drift = SftpDrift(meeting, connection, self) if meeting is not None else None
            if self.drift is not None:
                self.drift.files.unread = lambda path: kernel_lines.tell(decoy, key, path)
                view = view.guarded_by(self.drift.files)

            def written(path: str, contents: bytes) -> None:
                capture(connection.events, path, contents, limits)

            self.server = SftpServer(view, user.home, user.username, release(decoy), written, lambda at: dated(decoy, at))

        def dataReceived(self, data: bytes) -> None:
            try:
                if self.drift is None or self.drift.idle:
                    self.transport.write(self.server.feed(data))
                else:
                    self.drift.take(data)
            except Malformed as wrong:
                diagnostics.say("info", f"sftp ended: {wrong}")
                self.transport.loseConnection()

        def connectionLost(self, reason: Any = None) -> None:
            if hasattr(self, "server"):
                self.server.close()
                if self.drift is not None:
                    self.drift.end()

    def init(self: Any, username: bytes, server: Any) -> None:
        made(self, username, server)
        self.subsystemLookup[b"sftp"] = Subsystem

    avatar.CowrieUser.__init__ = init
    end_well()


def end_well() -> None:
    """The real server ends with status 0 when the client has said all."""
    from cowrie.ssh.session import HoneyPotSSHSession

    expect(HoneyPotSSHSession.eofReceived, "(self)")
    ended = HoneyPotSSHSession.eofReceived

    def eof_received(self: Any) -> None:
        client = getattr(self, "client", None)
        if self.session is not None or client is None:
            ended(self)
            return

        def end() -> None:
            if not self.localClosed:
                self.conn.sendRequest(self, b"exit-status", bytes(4))
                ended(self)

        drift = getattr(getattr(client.transport, "proto", None), "drift", None)
        if drift is None:
            end()
        else:
            drift.requests.then(end)

    HoneyPotSSHSession.eofReceived = eof_received


def capture(events: Any, path: str, contents: bytes, limits: Limits) -> None:
    digest = hashlib.sha256(contents).hexdigest()
    kept = places.FILES / digest
    if not contents or len(contents) > limits.file_bytes:
        return
    if not kept.exists():
        control_files.replace(kept, contents)
    events.dispatch(
        "cowrie.session.file_upload",
        'SFTP Uploaded file "%(filename)s" to %(outfile)s',
        filename=posixpath.basename(path),
        outfile=str(kept),
        shasum=digest,
    )


def captured(process: Process, path: str, contents: bytes) -> None:
    """A file that came by scp, of a session of Cowrie's."""
    if process.session is not None:
        capture(process.session.events, path, contents, read_limits(dict(os.environ)))
        with contextlib.suppress(OSError):
            process.fs.forget_written(path)  # type: ignore[attr-defined]


def release(decoy: Decoy) -> tuple[int, int]:
    found = re.match(r"SSH-2\.0-OpenSSH_(\d+)\.(\d+)", decoy.persona.ssh.banner if decoy.persona.ssh else "")
    return (int(found[1]), int(found[2])) if found else (7, 4)


def dated(decoy: Decoy, at: float) -> str:
    there = local(decoy.persona, at)
    clock = f"{there:%H:%M}" if time.time() - HALF_A_YEAR < at else f" {there.year}"
    return f"{there:%b} {there.day:2d} {clock}"
