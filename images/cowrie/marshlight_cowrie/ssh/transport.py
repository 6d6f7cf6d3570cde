"""
The transport of the persona's SSH server in the place of Cowrie's.

    bytes -> identification -> packets -> Software.receive -> keying, services
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from ..login.entry import Entry
from . import messages, reports
from .keying import KeyingTransport
from .software import Refusal
from .wire import read_string, string

if TYPE_CHECKING:
    from ..decoy import Decoy
    from ..visits import Visit
    from .software import Door

LONGEST_FAREWELL = 256


class ServerTransport(KeyingTransport):
    door: Door
    #: How the client got in, once it has.
    entry = Entry()
    decoy: Decoy
    visit: Visit

    def connectionMade(self) -> None:
        self.prepare()
        # What Cowrie's own connectionMade does, but for the banner at once.
        self.transportId = uuid.uuid4().hex[:12]
        self.startTime = time.time()
        self._emit_connect()
        peer = self.transport.getPeer()
        self.visit = self.decoy.visits.connected("sshd", peer.host, peer.port)
        self.setTimeout(self.software.grace_seconds)
        self.after(self.software.before_banner(self.seed), self.greet)

    def greet(self) -> None:
        """Past Twisted's buffer, which a client who spoke before us and wrongly would see dropped."""
        greeting = self.ourVersionString + b"\r\n"
        if self.software.greets_with_kexinit:
            greeting += self.make_kexinit()
        self.write_at_once(greeting)

    def write_at_once(self, data: bytes) -> None:
        sent = self.transport.socket.send(data)
        self.transport.write(data[sent:])

    def identify(self) -> bool:
        said = self.software.identified(self.received)
        if said is None:
            return False
        self.otherVersionString = said.line
        reports.client_version(self, said.line)
        if isinstance(said, Refusal):
            self.visit.said = said.line[:100].decode("utf-8", "replace")
            self.refuse(said)
            return False
        self.visit.said = None
        self.gotVersion = True
        self.received = said.rest
        self.sendKexInit()
        return True

    def refuse(self, said: Refusal) -> None:
        """
        sshd writes the text and the line's end apart. Where bytes are left unread, its close resets the connection, and
        the second, which waits for the first to be acknowledged (Nagle), is never sent.
        """
        if said.unread:
            if said.reply:
                self.transport.socket.send(said.reply)
            self.reset()
            return
        self.received = b""
        self.transport.write(said.reply + b"\r\n" if said.reply else b"")
        self.end()

    def take_leave(self, body: bytes) -> None:
        """The client's DISCONNECT, as the server's log has it: the reason's number, and what it says."""
        text, _ = read_string(body[4:])
        self.visit.farewell = f"{int.from_bytes(body[:4], 'big')}: {text[:LONGEST_FAREWELL].decode('utf-8', 'replace')}"
        self.end()

    # Services

    def start_log_in(self) -> None:
        if self.service is None:
            self.setService(self.software.services()[b"ssh-userauth"]())

    def accept_service(self, name: bytes) -> None:
        self.sendPacket(messages.SERVICE_ACCEPT, string(name))

    def setService(self, service: Any) -> None:
        if service.name == b"ssh-connection":
            self.door.leave(self)
            self.in_session = True
        super().setService(service)

    def connectionLost(self, reason: Any = None) -> None:
        self.ended = True
        self.decoy.visits.left(self.visit)
        self.door.leave(self)
        super().connectionLost(reason)
