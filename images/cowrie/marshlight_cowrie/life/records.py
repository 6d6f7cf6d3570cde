"""wtmp, btmp, utmp and lastlog, as utmp(5) lays them out on 64-bit Linux: 384 bytes a record, 292 in lastlog."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ..machine.kind import contained
from .happenings import Event

if TYPE_CHECKING:
    from ..persona import Persona

#: type, pid, line, id, user, host, exit, session, seconds, microseconds, address, unused.
RECORD = struct.Struct("<hxxi32s4s32s256shhiii4s12x20x")
LASTLOG = struct.Struct("<i32s256s")
RUN_LEVEL, BOOT_TIME, INIT, LOGIN, USER, DEAD = 1, 2, 5, 6, 7, 8


def record(kind: int, pid: int, line: str, name: str, user: str, host: str, at: float) -> bytes:
    seconds = int(at)
    parts = host.split(".")
    address = bytes(int(part) for part in parts) if len(parts) == 4 and all(part.isdigit() for part in parts) else bytes(4)
    text = (line.encode(), name.encode()[-4:], user.encode(), host.encode())
    return RECORD.pack(kind, pid, *text, 0, 0, pid, seconds, int((at - seconds) * 1e6), address)


def wtmp(persona: Persona, happened: list[Event]) -> bytes:
    release = persona.os.kernel.release
    made = []
    # Nobody writes down that a container was started.
    inside = contained(persona)
    for event in happened:
        if inside and event.kind in ("boot", "shutdown"):
            continue
        if event.kind == "boot":
            made.append(record(BOOT_TIME, 0, "~", "~~", "reboot", release, event.at))
            made.append(record(RUN_LEVEL, 53, "~", "~~", "runlevel", release, event.at + 6))
            made.append(record(LOGIN, 640, "tty1", "tty1", "LOGIN", "", event.at + 6))
        elif event.kind == "shutdown":
            made.append(record(RUN_LEVEL, 0, "~", "~~", "shutdown", release, event.at))
        elif event.kind == "login":
            made.append(record(USER, event.pid, event.tty, f"ts/{event.tty[4:]}", event.user, event.source, event.at))
        elif event.kind == "logout":
            made.append(record(DEAD, event.pid, event.tty, f"ts/{event.tty[4:]}", "", "", event.at))
    return b"".join(made)


def failed(event: Event) -> bytes:
    """Of a log-in that was refused, in btmp: the terminal is that of the daemon."""
    return record(LOGIN, event.pid, event.tty, "", event.user[:32], event.source, event.at)


def onto_utmp(persona: Persona, stored: bytes, happened: list[Event]) -> bytes:
    slots = [stored[at : at + RECORD.size] for at in range(0, len(stored) - RECORD.size + 1, RECORD.size)]
    rest = stored[len(slots) * RECORD.size :]
    for event in happened:
        made = wtmp(persona, [event])
        line = event.tty.encode().ljust(32, b"\0")
        place = next((at for at, slot in enumerate(slots) if slot[8:40] == line), None)
        if place is not None:
            slots[place] = made
        elif event.kind == "login":
            slots.append(made)
    return b"".join(slots) + rest


def lastlog(persona: Persona, happened: list[Event], stored: bytes = b"", uids: dict[str, int] | None = None) -> bytes:
    """Sparse by uid, so it is as long as the highest that ever logged in needs."""
    known = {user.name: user.uid for user in persona.users} | (uids or {})
    last = {known[event.user]: event for event in happened if event.kind == "login" and known.get(event.user, 65_536) < 65_536}
    made = bytearray(stored.ljust(LASTLOG.size * (max(last, default=-1) + 1), b"\0"))
    for uid, event in last.items():
        LASTLOG.pack_into(made, uid * LASTLOG.size, int(event.at), event.tty.encode(), event.source.encode())
    return bytes(made)
