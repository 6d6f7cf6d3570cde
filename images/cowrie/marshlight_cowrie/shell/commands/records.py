"""utmp(5) as the tools read it: records of /run/utmp, wtmp and btmp, and of lastlog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...life.records import BOOT_TIME, LASTLOG, LOGIN, RECORD, RUN_LEVEL, USER
from ...life.records import DEAD as DEAD

if TYPE_CHECKING:
    from ..ports import FileSystem, Process

__all__ = ["BOOT_TIME", "DEAD", "LASTLOG", "LOGIN", "RUN_LEVEL", "USER", "Record", "here", "parsed", "read_lastlog"]
UTMP = "/run/utmp"
LARGEST = 8 << 20


@dataclass
class Record:
    kind: int
    pid: int
    line: str
    id: str
    user: str
    host: str
    at: float


def parsed(raw: bytes) -> list[Record]:
    """A piece at the end that is no whole record is left out."""
    found = []
    raw = raw[-(LARGEST // RECORD.size * RECORD.size) :] if len(raw) > LARGEST else raw
    for kind, pid, line, name, user, host, _, _, _, seconds, micro, _ in RECORD.iter_unpack(raw[: len(raw) // RECORD.size * RECORD.size]):
        found.append(Record(kind, pid, text(line), text(name), text(user), text(host), seconds + micro / 1e6))
    return found


def text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")


def here(p: Process) -> list[Record]:
    """Who is logged in: the records of log-ins whose process still runs."""
    try:
        found = parsed(p.fs.read(UTMP))
    except OSError:
        return []
    running = alive(p)
    return [one for one in found if one.kind == USER and one.user and (not running or one.pid in running)]


def alive(p: Process) -> set[int]:
    return {row.pid for row in p.table.rows()} if p.table else set()


def read_lastlog(fs: FileSystem, uid: int) -> tuple[float, str, str] | None:
    """When, terminal, from where; None where the account was never used."""
    raw = fs.read("/var/log/lastlog")[uid * LASTLOG.size : (uid + 1) * LASTLOG.size]
    if len(raw) < LASTLOG.size:
        return None
    at, line, host = LASTLOG.unpack(raw)
    return (float(at), text(line), text(host)) if at else None
