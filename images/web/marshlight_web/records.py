"""The records of the tap (images/web/tap), and the connections that they tell of. Pure: bytes in, calls out."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from typing import Protocol

HEAD = struct.Struct("=IIIIc3x")
ENDS = struct.Struct("=4s4s2s2s")
LARGEST = 4096
Address = tuple[str, int]


class Listener(Protocol):
    """What one connection's bytes are told to."""

    def heard(self, data: bytes, clear: bool) -> None: ...
    def failed(self, reason: str) -> None: ...
    def missed(self) -> None: ...
    def closed(self) -> None: ...


class Opener(Protocol):
    def __call__(self, source: Address, target: Address) -> Listener: ...


@dataclass
class Told:
    listener: Listener
    expected: int = 1
    at: float = 0.0


@dataclass
class Records:
    """Connections by the server's process and its number there."""

    open: Opener
    buffer: bytearray = field(default_factory=bytearray)
    known: dict[tuple[int, int], Told] = field(default_factory=dict)
    refused: int = 0

    def feed(self, data: bytes, now: float) -> None:
        self.buffer += data
        at = 0
        while len(self.buffer) - at >= HEAD.size:
            length, process, connection, number, kind = HEAD.unpack_from(self.buffer, at)
            if length > LARGEST:
                raise ValueError(f"a record of {length} bytes")
            if len(self.buffer) - at < HEAD.size + length:
                break
            body = bytes(self.buffer[at + HEAD.size : at + HEAD.size + length])
            at += HEAD.size + length
            self.one((process, connection), number, kind, body, now)
        del self.buffer[:at]

    def one(self, key: tuple[int, int], number: int, kind: bytes, body: bytes, now: float) -> None:
        if kind == b"R":
            self.refused += 1
            return
        if kind == b"O":
            source, target, source_port, target_port = ENDS.unpack(body)
            listener = self.open(address(source, source_port), address(target, target_port))
            self.known[key] = Told(listener, at=now)
            return
        told = self.known.get(key)
        if told is None:
            return
        told.at = now
        if number != told.expected:
            told.listener.missed()
        told.expected = number + 1
        if kind in (b"P", b"C"):
            told.listener.heard(body, clear=kind == b"C")
        elif kind == b"F":
            told.listener.failed(body.decode("ascii", "replace"))
        elif kind == b"X":
            told.listener.missed()
        elif kind == b"Z":
            del self.known[key]
            told.listener.closed()

    def sweep(self, alive: set[int], now: float, longest: float) -> None:
        """Ends what nobody will tell the end of: of processes that are gone, or silent for longer than a server waits."""
        for key, told in list(self.known.items()):
            if key[0] not in alive or now - told.at > longest:
                del self.known[key]
                told.listener.closed()


def address(ip: bytes, port: bytes) -> Address:
    return str(ipaddress.IPv4Address(ip)), int.from_bytes(port, "big")
