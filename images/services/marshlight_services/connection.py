"""A TCP connection as a service's conversation sees it: bounded reads, every wait has an end, TLS from any moment on."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from .session import Session

if TYPE_CHECKING:
    from .host import Host
    from .persona import Persona, Service

BUFFER = 1 << 16


class Ended(Exception):
    """The other side is gone, was silent for too long, or sent more than fits."""


class Connection:
    # Seconds that the other side may be silent.
    patience = 60.0

    def __init__(
        self, host: Host, service: Service, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.host, self.first, self.session = host, service, session
        self.reader, self.writer = reader, writer
        self.buffer = bytearray()
        self.tls: ssl.SSLObject | None = None

    @property
    def service(self) -> Service:
        """As the persona has it now; as it was at the start where that port serves something else by now."""
        now = self.host.services.get(("tcp", self.first.port))
        return now if now is not None and now.kind == self.first.kind else self.first

    @property
    def persona(self) -> Persona:
        return self.host.control.persona

    async def peek(self, count: int) -> bytes:
        """The next bytes, left where they are."""
        while len(self.buffer) < count:
            await self.fill()
        return bytes(self.buffer[:count])

    async def some(self) -> bytes:
        """Whatever comes next, at least a byte."""
        if not self.buffer:
            await self.fill()
        return self.take(len(self.buffer))

    async def exactly(self, count: int) -> bytes:
        if count > BUFFER:
            raise Ended(f"{count} bytes announced")
        await self.peek(count)
        return self.take(count)

    async def line(self, longest: int = 8192) -> bytes:
        """A line without its end. What comes without one before the end of the connection is no line."""
        searched = 0
        while (at := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer)
            if searched > longest:
                raise Ended("a line too long")
            await self.fill()
        return self.take(at + 1).rstrip(b"\r\n")

    def take(self, count: int) -> bytes:
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def busy(self) -> bool:
        """Whether drift has it turned away now; the kind says so in its own words."""
        return self.host.drifting.busy(self.session)

    async def fill(self) -> None:
        while True:
            data = await self.received()
            if self.tls is None:
                self.buffer += data
                return
            self.incoming.write(data)
            if self.decrypt():
                return

    async def received(self) -> bytes:
        await self.flush()
        try:
            data = await asyncio.wait_for(self.reader.read(BUFFER), self.patience)
        except (asyncio.TimeoutError, OSError) as error:
            raise Ended(type(error).__name__) from None
        if not data:
            raise Ended("closed by the other side")
        return data

    def send(self, data: bytes) -> None:
        if self.tls is None:
            self.writer.write(data)
            return
        self.tls.write(data)
        self.writer.write(self.outgoing.read())

    async def flush(self) -> None:
        try:
            await asyncio.wait_for(self.writer.drain(), self.patience)
        except (asyncio.TimeoutError, OSError) as error:
            raise Ended(type(error).__name__) from None

    async def pause(self, seconds: float) -> None:
        await self.flush()
        await asyncio.sleep(seconds)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.incoming.write(self.take(len(self.buffer)))
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self.writer.write(self.outgoing.read())
                self.incoming.write(await self.received())
            except ssl.SSLError as error:
                # The alert that says why belongs to the other side.
                self.writer.write(self.outgoing.read())
                self.session.odd(f"TLS: {error.reason}")
                raise Ended("no TLS") from None
            else:
                break
        self.writer.write(self.outgoing.read())
        self.tls = tls
        self.decrypt()

    def decrypt(self) -> bool:
        """Moves what can be read to the buffer. Says whether anything came."""
        assert self.tls is not None
        before = len(self.buffer)
        while True:
            try:
                data = self.tls.read(BUFFER)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                raise Ended(f"TLS: {error.reason}") from None
            if not data:
                if len(self.buffer) == before:
                    raise Ended("closed by the other side")
                break
            self.buffer += data
        self.writer.write(self.outgoing.read())
        return len(self.buffer) > before

    async def finish(self) -> None:
        """Says good-bye in TLS, where that was spoken."""
        if self.tls is not None:
            try:
                self.tls.unwrap()
            except (ssl.SSLError, OSError):
                pass
            self.writer.write(self.outgoing.read())
        await self.flush()
