"""The NetBIOS name service (RFC 1002): who this is, as `nbtstat -A` and `nmblookup -A` ask."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from ... import ntlm

if TYPE_CHECKING:
    from ...persona import Service
    from ...session import Session

NBSTAT, NB, IN = 0x21, 0x20, 1
ACTIVE, GROUP = 0x0400, 0x8000
# Of what goes to all of a link, questions for its own names are answered, to who asked.
HEARS, ITSELF_ALONE = "broadcast", True
ANYBODY = b"*" + b"\0" * 15
ENCODED_ANYBODY = b" CK" + b"A" * 30 + b"\0"
# What else nmbd answers for.
SAMBA_ALSO = (ANYBODY, b"*" + b" " * 14 + b"\0", b"__SAMBA__      \x20")


def to_asker(data: bytes, service: Service, session: Session) -> bytes | None:
    """To a question for a name (RFC 1002, 5.1.1.4); the status of a node is asked of that node, but Samba tells it to all."""
    asks_name = len(data) >= 50 and data[2] & 0xF8 == 0 and data[46:48] == struct.pack(">H", NB)
    return answer(data, service, session) if asks_name or is_samba(service) else None


def answer(data: bytes, service: Service, session: Session) -> bytes | None:
    if len(data) < 50 or data[12] != 32:
        session.odd(data[:64])
        return None
    number, flags, questions = struct.unpack_from(">HHH", data)
    name = decoded(data[13:45])
    kind, family = struct.unpack_from(">HH", data, 46)
    if flags & 0x8000 or questions != 1 or family != IN or name is None:
        return None
    session.tell("request", method="NBSTAT" if kind == NBSTAT else "NB", url=name.rstrip(b"\0 "))
    own = names(service, session)
    encoded = ENCODED_ANYBODY if name in SAMBA_ALSO[:2] else data[12:46]
    if kind == NBSTAT and (name == ANYBODY or any(name == entry for entry, _ in own)):
        table = bytes([len(own)]) + b"".join(entry + struct.pack(">H", flag) for entry, flag in own)
        rest = mac(service) + b"\0" * (40 if is_samba(service) else 41)
        body = table + rest
        return struct.pack(">HHHHHH", number, 0x8400, 0, 1, 0, 0) + encoded + struct.pack(
            ">HHIH", NBSTAT, IN, 0, len(body)
        ) + body
    known = {**dict.fromkeys(SAMBA_ALSO, ACTIVE), **dict(own)} if is_samba(service) else dict(own)
    if kind == NB and name in known:
        address = socket.inet_aton(session.target[0])
        # Samba's own time to live is three days, and it says that it answers questions for others.
        told, ttl = (0x8580, 259200) if is_samba(service) else (0x8500, 300000)
        return struct.pack(">HHHHHH", number, told, 0, 1, 0, 0) + encoded + struct.pack(
            ">HHIHH", NB, IN, ttl, 6, known[name] & GROUP
        ) + address
    return None


def is_samba(service: Service) -> bool:
    return "samba" in service.product.lower()


def names(service: Service, session: Session) -> list[tuple[bytes, int]]:
    """In the order in which hosts of that kind list them."""
    found = ntlm.names_of(session.host.control.persona, service)
    own, group = found.computer.upper(), found.domain.upper()
    if is_samba(service):
        return [
            (entry(own, 0x00), ACTIVE),
            (entry(own, 0x03), ACTIVE),
            (entry(own, 0x20), ACTIVE),
            (entry(group, 0x00), ACTIVE | GROUP),
            (entry(group, 0x1E), ACTIVE | GROUP),
        ]
    shown = [(entry(own, 0x00), ACTIVE), (entry(group, 0x00), ACTIVE | GROUP)]
    return [*shown, (entry(own, 0x20), ACTIVE)] if service.flag("server", True) else shown


def entry(name: str, kind: int) -> bytes:
    return name.encode("ascii", "replace")[:15].ljust(15) + bytes([kind])


def mac(service: Service) -> bytes:
    """The pod's own; Samba tells none."""
    if is_samba(service):
        return b"\0" * 6
    for card in sorted(Path("/sys/class/net").glob("*")):
        if card.name != "lo":
            try:
                return bytes.fromhex((card / "address").read_text().strip().replace(":", ""))
            except (OSError, ValueError):
                continue
    return b"\0" * 6


def decoded(half_letters: bytes) -> bytes | None:
    """First-level encoding of RFC 1001: a letter for each half of a byte."""
    values = [letter - 0x41 for letter in half_letters]
    if any(not 0 <= value <= 15 for value in values):
        return None
    return bytes(values[at] << 4 | values[at + 1] for at in range(0, 32, 2))
