"""MQTT 3.1.1 (OASIS) as a broker that lets nobody in, or anybody to see the broker's own topics."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

from ...connection import Ended

if TYPE_CHECKING:
    from ...connection import Connection

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    *(1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14),
)
BAD_PROTOCOL, UNAVAILABLE, NOT_AUTHORIZED = 1, 3, 5
BAD_PROTOCOL_5, NOT_AUTHORIZED_5, BUSY_5 = 0x84, 0x87, 0x89


async def talk(connection: Connection) -> None:
    kind, _, body = await packet(connection)
    if kind != CONNECT:
        connection.session.odd(bytes([kind << 4]) + body[:64])
        return
    fields = Fields(body)
    protocol, level, flags = fields.text(), fields.byte(), fields.byte()
    if protocol not in (b"MQTT", b"MQIsdp") or level not in (3, 4, 5):
        connection.session.odd(body[:64])
        if protocol == b"MQTT":
            connection.send(bytes([CONNACK << 4, 2, 0, BAD_PROTOCOL]))
        return
    connection.patience = min(max(fields.short() * 1.5, 10.0), 300.0)
    if level == 5:
        fields.skip(fields.number())
    client = fields.text()
    if flags & 4:
        if level == 5:
            fields.skip(fields.number())
        fields.text(), fields.text()
    user = fields.text() if flags & 0x80 else None
    password = fields.text() if flags & 0x40 else None
    connection.session.tell("client.version", version=client, level=level)
    if connection.busy():
        connection.send(bytes([CONNACK << 4, 3, 0, BUSY_5, 0]) if level == 5 else bytes([CONNACK << 4, 2, 0, UNAVAILABLE]))
        return
    anonymous = connection.service.flag("anonymous")
    if user is not None or not anonymous:
        connection.session.refused_login(user or "", password, client=client)
        refusal = bytes([CONNACK << 4, 3, 0, NOT_AUTHORIZED_5, 0]) if level == 5 else bytes([CONNACK << 4, 2, 0, NOT_AUTHORIZED])
        connection.send(refusal)
        return
    connection.session.accepted_login("", None, client=client)
    connection.send(bytes([CONNACK << 4, 3, 0, 0, 0]) if level == 5 else bytes([CONNACK << 4, 2, 0, 0]))
    await serve(connection, level)


async def serve(connection: Connection, level: int) -> None:
    while True:
        kind, flags, body = await packet(connection)
        fields = Fields(body)
        if kind == SUBSCRIBE:
            number = fields.short()
            if level == 5:
                fields.skip(fields.number())
            topics = []
            while not fields.ended:
                topics.append(fields.text())
                fields.byte()
            connection.session.command(b"subscribe " + b" ".join(topics))
            middle = b"\0" if level == 5 else b""
            answer = struct.pack(">H", number) + middle + b"\0" * len(topics)
            connection.send(bytes([SUBACK << 4, len(answer)]) + answer)
            for topic in topics:
                for name, value in own_topics(connection):
                    if matches(topic.decode("utf-8", "replace"), name):
                        connection.send(retained(name, value, level))
        elif kind == PUBLISH:
            topic = fields.text()
            number = fields.short() if flags & 6 else 0
            connection.session.command(b"publish " + topic + b" " + fields.rest()[:2048])
            if flags & 6 == 2:
                connection.send(bytes([PUBACK << 4, 2]) + struct.pack(">H", number))
        elif kind == UNSUBSCRIBE:
            answer = struct.pack(">H", fields.short()) + (b"\0\0" if level == 5 else b"")
            connection.send(bytes([UNSUBACK << 4, len(answer)]) + answer)
        elif kind == PINGREQ:
            connection.send(bytes([PINGRESP << 4, 0]))
        else:
            return


def own_topics(connection: Connection) -> list[tuple[str, str]]:
    """What a broker tells of itself."""
    up = int(time.time() - connection.persona.booted_at)
    service = connection.service
    return [
        ("$SYS/broker/version", f"{service.product.lower()} version {service.version.split('-')[0]}"),
        ("$SYS/broker/uptime", f"{up - up % 10} seconds"),
        ("$SYS/broker/clients/total", "4"),
        ("$SYS/broker/clients/connected", "4"),
        ("$SYS/broker/subscriptions/count", "7"),
        ("$SYS/broker/retained messages/count", "41"),
        ("$SYS/broker/messages/received", str(up // 7)),
        ("$SYS/broker/messages/sent", str(up // 5)),
    ]


def matches(pattern: str, topic: str) -> bool:
    wanted, named = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("#", "+"):
        return False
    for at, part in enumerate(wanted):
        if part == "#":
            return True
        if at >= len(named) or part not in ("+", named[at]):
            return False
    return len(wanted) == len(named)


def retained(topic: str, value: str, level: int) -> bytes:
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + (b"\0" if level == 5 else b"") + value.encode()
    return bytes([PUBLISH << 4 | 1, len(body)]) + body


async def packet(connection: Connection) -> tuple[int, int, bytes]:
    first = (await connection.exactly(1))[0]
    size = shift = 0
    while True:
        byte = (await connection.exactly(1))[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
        if shift > 21:
            connection.session.odd(bytes([first, byte]))
            raise Ended("a length too long")
    return first >> 4, first & 0x0F, await connection.exactly(size) if size else b""


class Fields:
    """Reads a packet; what is missing at its end is empty."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.data)

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def short(self) -> int:
        return self.byte() << 8 | self.byte()

    def number(self) -> int:
        value = shift = 0
        while shift <= 21:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        return value

    def text(self) -> bytes:
        size = self.short()
        found = self.data[self.at : self.at + size]
        self.at += size
        return found

    def skip(self, count: int) -> None:
        self.at += count

    def rest(self) -> bytes:
        return self.data[self.at :]
