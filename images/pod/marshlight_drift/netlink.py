"""Messages of netlink(7), put together and taken apart. Attributes are numbered as the kernel's headers do."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

NETFILTER = 12
REQUEST, ACKNOWLEDGE, CREATE, APPEND = 1, 4, 0x400, 0x800
NESTED = 0x8000
ERROR, DONE = 2, 3
HEAD, GENERIC, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("!BBH"), struct.Struct("=HH")


def attribute(kind: int, value: bytes) -> bytes:
    return ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *inside: bytes) -> bytes:
    return attribute(kind | NESTED, b"".join(inside))


def message(kind: int, flags: int, number: int, family: int, resource: int, *attributes: bytes) -> bytes:
    body = GENERIC.pack(family, 0, resource) + b"".join(attributes)
    return HEAD.pack(16 + len(body), kind, flags | REQUEST, number, 0) + body


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body of each."""
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        if length < 16 or at + length > len(data):
            return
        yield kind, data[at + 16 : at + length]
        at += (length + 3) & ~3


def attributes(body: bytes, at: int = 4) -> dict[int, bytes]:
    """Those after `at` bytes of head."""
    found = {}
    while at + 4 <= len(body):
        length, kind = ATTRIBUTE.unpack_from(body, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = body[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def connected(family: int = NETFILTER) -> socket.socket:
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
    link.bind((0, 0))
    return link


def dumped(link: socket.socket, request: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body of all that is there."""
    link.send(request)
    while True:
        for kind, body in messages(link.recv(65_536)):
            if kind in (ERROR, DONE):
                return
            yield kind, body


def asked(link: socket.socket, number: int, request: bytes) -> None:
    """Sends what the kernel acknowledges. OSError with what it says."""
    link.send(request)
    while True:
        for kind, body in messages(link.recv(65_536)):
            if kind == ERROR:
                code, _, _, _, answered = struct.unpack_from("=iIHHI", body)
                if answered == number:
                    if code:
                        raise OSError(-code, os.strerror(-code))
                    return
