"""
The listeners of one host, as its persona says.

    control files --> Host.apply --> listeners opened, closed, or left as they are with new words
    a connection --> doorkeeper --> Session, Connection --> the kind's conversation
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from marshlight_common.event_files import EventFiles
from marshlight_common.limits import Doorkeeper

from .beside import played_beside
from .connection import BUFFER, Connection, Ended
from .control import Control
from .diagnostics import say
from .drifting import Drifting
from .group import open_group, own_address_on_link
from .limits import Limits, Rate
from .persona import Service
from .registry import Datagram, Stream, kind_of
from .session import Address, Session

Place = tuple[str, int]
# A source's datagrams within so many seconds of each other are one session.
DATAGRAM_SESSION = 30.0
MOST_DATAGRAM_SESSIONS = 512


class Host:
    def __init__(self, control: Control, files: EventFiles, limits: Limits, address: str = "0.0.0.0") -> None:
        self.control, self.files, self.limits, self.address = control, files, limits, address
        self.doorkeeper = Doorkeeper(limits)
        self.rate = Rate(limits.datagrams_per_second)
        self.services: dict[Place, Service] = {}
        self.listeners: dict[Place, Callable[[], None]] = {}
        self.left_out: list[str] = []
        self.memory: dict[str, Any] = {}
        self.datagrams: list[Datagrams] = []
        self.drifting = Drifting(self)

    async def apply(self) -> None:
        """Brings the listeners in line with the persona. A port that cannot be had is left out and told."""
        wanted: dict[Place, Service] = {}
        left_out = []
        for service in self.control.persona.services:
            if played_beside(service):
                continue
            kind = kind_of(service.kind)
            if kind is None:
                left_out.append(f"{service.kind}: no such service here")
            else:
                wanted[("udp" if isinstance(kind, Datagram) else "tcp", service.port)] = service
                if isinstance(kind, Stream) and kind.prepare:
                    kind.prepare(self.control.persona, service)
        for place in [place for place in self.listeners if place not in wanted]:
            self.listeners.pop(place)()
        if wanted != self.services:
            self.memory.clear()
        self.services = wanted
        for place in wanted:
            if place in self.listeners:
                continue
            try:
                self.listeners[place] = await self.listen(*place)
            except OSError as error:
                left_out.append(f"{wanted[place].kind} on {place[0]} {place[1]}: {error.strerror}")
        self.left_out = left_out

    async def listen(self, proto: str, port: int) -> Callable[[], None]:
        if proto == "tcp":
            server = await asyncio.start_server(
                lambda reader, writer: self.accept(port, reader, writer),
                self.address,
                port,
                limit=BUFFER,
                backlog=128,
            )
            return server.close
        loop = asyncio.get_running_loop()
        kind = kind_of(self.services[proto, port].kind)
        # What neighbours ask all of a link would make each of them a session here.
        itself = isinstance(kind, Datagram) and kind.itself_alone and self.address == "0.0.0.0"
        address = (own_address_on_link() if itself else None) or self.address
        transport, datagrams = await loop.create_datagram_endpoint(
            lambda: Datagrams(self, port), sock=datagram_socket(address, port)
        )
        self.datagrams.append(datagrams)
        leave = await open_group(self, port, transport)

        def close() -> None:
            self.datagrams.remove(datagrams)
            transport.close()
            leave()

        return close

    def sweep(self, now: float) -> None:
        for datagrams in self.datagrams:
            datagrams.sweep(now)

    def close(self) -> None:
        for close in self.listeners.values():
            close()
        self.listeners.clear()
        self.drifting.tell()

    async def accept(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service = self.services.get(("tcp", port))
        source, target = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        if service is None or source is None:
            writer.transport.abort()
            return
        if not self.doorkeeper.admits(source[0]):
            self.doorkeeper.refused += 1
            writer.transport.abort()
            return
        self.doorkeeper.enter(source[0])
        kind = kind_of(service.kind)
        session = Session(self, service.kind, source[:2], target[:2])
        connection = Connection(self, service, session, reader, writer)
        session.opened()
        try:
            assert isinstance(kind, Stream)
            await kind.talk(connection)
            await connection.finish()
        except Ended:
            pass
        except Exception as error:  # One conversation that goes wrong must not end the others, and has to be told.
            say("error", f"{service.kind}: {type(error).__name__}: {error}"[:300])
        finally:
            session.closed()
            self.doorkeeper.leave(source[0])
            with contextlib.suppress(OSError):
                writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, host: Host, port: int) -> None:
        self.host, self.port = host, port
        self.sessions: OrderedDict[str, tuple[Session, float]] = OrderedDict()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        service = self.host.services.get(("udp", self.port))
        now = time.monotonic()
        if service is None or not self.host.rate.admits(source[0], now):
            return
        kind = kind_of(service.kind)
        assert isinstance(kind, Datagram)
        session = self.session_of(service.kind, source[:2], now)
        try:
            answer = kind.answer(data, service, session)
        except Exception as error:  # As in accept.
            say("error", f"{service.kind}: {type(error).__name__}: {error}"[:300])
            return
        if answer and kind.fresh_port:
            send_afresh(answer, session.target[0], source)
        elif answer:
            self.transport.sendto(answer, source)  # type: ignore[attr-defined]

    def error_received(self, error: Exception) -> None:
        """A source that does not listen any more."""

    def session_of(self, kind: str, source: Address, now: float) -> Session:
        known, last = self.sessions.pop(source[0], (None, 0.0))
        if known is not None and now - last > DATAGRAM_SESSION:
            known.closed()
            known = None
        session = known or Session(self.host, kind, source, (own_address(source[0]), self.port))
        if known is None:
            session.opened()
        self.sessions[source[0]] = (session, now)
        if len(self.sessions) > MOST_DATAGRAM_SESSIONS:
            _, (oldest, _) = self.sessions.popitem(last=False)
            oldest.closed()
        return session

    def sweep(self, now: float) -> None:
        for address, (session, last) in list(self.sessions.items()):
            if now - last > DATAGRAM_SESSION:
                del self.sessions[address]
                session.closed()


def send_afresh(answer: bytes, own: str, source: Address) -> None:
    """From a port that nobody had before; what else may come back finds nobody there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as fresh:
        try:
            fresh.bind((own, 0))
            fresh.sendto(answer, source)
        except OSError as error:
            say("warning", f"no answer from a port of its own: {error.strerror}")


def own_address(source: str) -> str:
    """The address that an answer to `source` bears. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((source, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def datagram_socket(address: str, port: int) -> socket.socket:
    """What the pod says from this port as it comes up goes out beside it: neither keeps the other from the port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
