"""SNMP (RFC 3416, RFC 3414): the system group and the interfaces, to those who know a community; the engine, to anybody."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from ... import der
from .tree import Tree, Value, tree_of

if TYPE_CHECKING:
    from ...persona import Service
    from ...session import Session

GET, NEXT, RESPONSE, SET, BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8
NO_SUCH_NAME, NOT_WRITABLE = 2, 17
NO_SUCH_OBJECT, END_OF_VIEW = der.tlv(0x80), der.tlv(0x82)
MOST_ROWS, LARGEST = 64, 1400
UNKNOWN_ENGINES = "1.3.6.1.6.3.15.1.1.4.0"


def answer(data: bytes, service: Service, session: Session) -> bytes | None:
    try:
        fields = der.parts(der.read(data)[1])
        version = int.from_bytes(fields[0][1], "big")
        if version == 3:
            return discovery(fields, service, session)
        if version not in (0, 1):
            raise ValueError(f"version {version}")
        return by_community(version, fields, service, session)
    except (ValueError, IndexError):
        session.odd(data[:64])
        return None


def by_community(version: int, fields: list[tuple[int, bytes]], service: Service, session: Session) -> bytes | None:
    community, (kind, request) = fields[1][1], fields[2]
    parts = der.parts(request)
    number, first, second = parts[0][1], int.from_bytes(parts[1][1], "big"), int.from_bytes(parts[2][1], "big")
    names = [der.dotted(der.read(pair)[1]) for _, pair in der.parts(parts[3][1])]
    words = {GET: "get", NEXT: "getnext", SET: "set", BULK: "getbulk"}.get(kind, f"pdu {kind}")
    allowed = community.decode("latin-1") in service.text("communities", "public").split(" ")
    if not allowed:
        # The real ones are silent to a wrong community.
        session.refused_login("", community)
        return None
    session.command(f"{words} {' '.join(names[:16])}", community=community)
    tree = tree_of(session.host.control.persona, service)
    error, at, rows = 0, 0, []
    if kind == GET:
        found = [(name, tree.get(name)) for name in names]
        rows = [(name, value or NO_SUCH_OBJECT) for name, value in found]
        missing = next((place for place, (_, value) in enumerate(found, 1) if value is None), 0)
    elif kind == NEXT:
        rows, missing = following(tree, names)
    elif kind == BULK and version == 1:
        rows, missing = bulk(tree, names, first, min(second, MOST_ROWS)), 0
    elif kind == SET:
        rows, missing = [(name, tree.get(name) or NO_SUCH_OBJECT) for name in names], 1
    else:
        return None
    if missing and (version == 0 or kind == SET):
        error, at = (NO_SUCH_NAME if version == 0 else NOT_WRITABLE), missing
        rows = [(name, der.tlv(der.NULL)) for name in names]
    pairs = b""
    for name, value in rows:
        pair = der.sequence(der.oid(name), value)
        if len(pairs) + len(pair) > LARGEST:
            break
        pairs += pair
    body = der.tlv(
        RESPONSE, der.tlv(der.INTEGER, number), der.integer(error), der.integer(at), der.sequence(pairs)
    )
    return der.sequence(der.integer(version), der.octets(community), body)


def following(tree: Tree, names: list[str]) -> tuple[list[tuple[str, Value]], int]:
    rows, missing = [], 0
    for place, name in enumerate(names, 1):
        found = tree.after(name)
        missing = missing or (0 if found else place)
        rows.append(found or (name, END_OF_VIEW))
    return rows, missing


def bulk(tree: Tree, names: list[str], single: int, times: int) -> list[tuple[str, Value]]:
    rows, _ = following(tree, names[:single])
    for name in names[single:][:8]:
        for _ in range(max(times, 1)):
            found = tree.after(name)
            if found is None:
                rows.append((name, END_OF_VIEW))
                break
            name = found[0]
            rows.append(found)
    return rows


def discovery(fields: list[tuple[int, bytes]], service: Service, session: Session) -> bytes | None:
    """Who asks without knowing the engine is told it; that is as far as version 3 goes without a user."""
    number = der.parts(fields[1][1])[0][1]
    security = der.parts(der.read(fields[2][1])[1])
    user = security[3][1]
    if user:
        session.refused_login(user)
    session.command("discovery")
    persona = session.host.control.persona
    enterprise = service.number("enterprise", 8072)
    drawn = hashlib.sha256(f"{persona.seed} snmp".encode()).digest()
    # RFC 3411: the enterprise with its highest bit set; Net-SNMP's own form is random octets and a time.
    made = b"\x80" + drawn[:4] + int(persona.booted_at - 4_000_000).to_bytes(8, "little") if enterprise == 8072 else b"\3" + drawn[:6]
    engine = (0x80000000 | enterprise).to_bytes(4, "big") + made
    boots, up = 3 + drawn[5] % 40, max(int(time.time() - persona.booted_at), 0)
    parameters = der.sequence(
        der.octets(engine), der.integer(boots), der.integer(up), der.octets(b""), der.octets(b""), der.octets(b"")
    )
    counter = der.tlv(0x41, der.integer(1)[2:])
    pair = der.sequence(der.sequence(der.oid(UNKNOWN_ENGINES), counter))
    report = der.tlv(REPORT, der.integer(0), der.integer(0), der.integer(0), pair)
    head = der.sequence(der.tlv(der.INTEGER, number), der.integer(65507), der.octets(b"\0"), der.integer(3))
    scoped = der.sequence(der.octets(engine), der.octets(b""), report)
    return der.sequence(der.integer(3), head, der.octets(parameters), scoped)
