"""Multicast DNS (RFC 6762): the host's own name and address, and what it serves, to whoever asks on this link."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...persona import Service
    from ...session import Session

HEARS, ITSELF_ALONE = "224.0.0.251", True
A, PTR, TXT, SRV, ANY, IN = 1, 12, 16, 33, 255, 1
FLUSH = 0x8000
# RFC 6762, 10: names of hosts for two minutes, all else for 75; 6.7: to old resolvers at most ten seconds.
HOST_TTL, OTHER_TTL, LEGACY_TTL = 120, 4500, 10
MOST_QUESTIONS, LONGEST_NAME = 8, 255
# What DNS-SD calls the services that a host may have.
TYPES = {
    "http": "_http._tcp",
    "https": "_https._tcp",
    "ssh": "_ssh._tcp",
    "smb": "_smb._tcp",
    "rtsp": "_rtsp._tcp",
    "printer": "_pdl-datastream._tcp",
    "ftp": "_ftp._tcp",
}
BROWSE = b"_services._dns-sd._udp.local"


@dataclass(frozen=True)
class Record:
    name: bytes
    kind: int
    data: bytes
    ttl: int
    alone: bool = True


@dataclass(frozen=True)
class Question:
    name: bytes
    kind: int

    @property
    def method(self) -> str:
        return {A: "A", PTR: "PTR", SRV: "SRV", TXT: "TXT"}.get(self.kind, str(self.kind))


def answer(data: bytes, service: Service, session: Session) -> bytes | None:
    """To one who asked this host itself, as a resolver that knows nothing of groups expects it where it is one (6.7)."""
    number, questions = read(data)
    if questions is None:
        session.odd(data[:64])
        return None
    found = matching(questions, records(session))
    if not found:
        return None
    session.tell("request", method=questions[0].method, url=questions[0].name)
    legacy = session.source[1] != service.port
    return packet(number if legacy else 0, questions if legacy else [], found, legacy)


def to_group(data: bytes, service: Service, session: Session) -> bytes | None:
    """To all, what one of them asked all. Who wants an answer for himself alone gets it with the others (5.4 lets us)."""
    _, questions = read(data)
    if not questions or session.source[1] != service.port:
        return None
    found = matching(questions, records(session))
    return packet(0, [], found, False) if found else None


def to_asker(data: bytes, service: Service, session: Session) -> bytes | None:
    """To an old resolver, which asks the group as it would ask a server and hears what comes to itself alone (6.7)."""
    number, questions = read(data)
    if not questions or session.source[1] == service.port:
        return None
    found = matching(questions, records(session))
    return packet(number, questions, found, True) if found else None


def matching(questions: list[Question], known: list[Record]) -> list[Record]:
    return [
        one
        for one in known
        if any(one.name == asked.name.lower() and asked.kind in (one.kind, ANY) for asked in questions)
    ]


def read(data: bytes) -> tuple[int, list[Question] | None]:
    """The questions of a query; none of an answer; None where it is no packet of DNS."""
    if len(data) < 12:
        return 0, None
    number, flags, count = struct.unpack_from(">HHH", data)
    if flags & 0xF800:
        return number, []
    at, questions = 12, []
    for _ in range(min(count, MOST_QUESTIONS)):
        name, at = name_at(data, at)
        if name is None or at + 4 > len(data):
            return number, None
        kind, family = struct.unpack_from(">HH", data, at)
        at += 4
        if family & 0x7FFF in (IN, ANY):
            questions.append(Question(name, kind))
    return number, questions


def name_at(data: bytes, at: int) -> tuple[bytes | None, int]:
    """A name with its dots. A pointer leads backwards only, so that no packet keeps us for long."""
    labels: list[bytes] = []
    after, least = -1, at
    while at < len(data) and sum(map(len, labels)) + len(labels) <= LONGEST_NAME:
        length = data[at]
        if length == 0:
            return b".".join(labels), at + 1 if after < 0 else after
        if length & 0xC0 == 0xC0:
            if at + 1 >= len(data):
                break
            target = (length & 0x3F) << 8 | data[at + 1]
            after = at + 2 if after < 0 else after
            if target >= least:
                break
            at = least = target
            continue
        if length & 0xC0:
            break
        labels.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return None, at


def records(session: Session) -> list[Record]:
    """In lower case, as names are compared; the data keep the case of the host's own name."""
    persona = session.host.control.persona
    address = session.target[0]
    try:
        raw = ipaddress.IPv4Address(address)
    except ValueError:
        return []
    short = persona.hostname.split(".")[0]
    host = f"{short}.local".encode()
    found = [
        Record(host.lower(), A, raw.packed, HOST_TTL),
        Record(raw.reverse_pointer.encode(), PTR, encoded(host), HOST_TTL),
    ]
    for one in persona.services:
        if one.kind not in TYPES:
            continue
        kind = f"{TYPES[one.kind]}.local".encode()
        # An instance may have spaces and dots in its one label (RFC 6763, 4.1.1).
        instance = encoded_label(short.encode()) + encoded(kind)
        name = f"{short}.".encode().lower() + kind
        found += [
            Record(BROWSE, PTR, encoded(kind), OTHER_TTL, alone=False),
            Record(kind, PTR, instance, OTHER_TTL, alone=False),
            Record(name, SRV, struct.pack(">HHH", 0, 0, one.port) + encoded(host), HOST_TTL),
            Record(name, TXT, b"\0", OTHER_TTL),
        ]
    return found


def packet(number: int, asked: list[Question], found: list[Record], legacy: bool) -> bytes:
    text = struct.pack(">HHHHHH", number, 0x8400, len(asked), len(found), 0, 0)
    text += b"".join(encoded(one.name) + struct.pack(">HH", one.kind, IN) for one in asked)
    for one in found:
        family = IN | (FLUSH if one.alone and not legacy else 0)
        ttl = min(one.ttl, LEGACY_TTL) if legacy else one.ttl
        text += encoded(one.name) + struct.pack(">HHIH", one.kind, family, ttl, len(one.data)) + one.data
    return text


def encoded(name: bytes) -> bytes:
    return b"".join(pieces(name)) + b"\0"


def pieces(name: bytes) -> Iterator[bytes]:
    return (encoded_label(label) for label in name.split(b".") if label)


def encoded_label(label: bytes) -> bytes:
    return bytes([len(label[:63])]) + label[:63]
