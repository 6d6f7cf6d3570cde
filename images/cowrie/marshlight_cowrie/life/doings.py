"""What one attacker's visits left in the machine's own books: lines of the logs, records of log-ins. Bounded, oldest go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

from .happenings import Event
from .lines import Line

MOST_LINES, MOST_RECORDS, LONGEST = 800, 400, 1024


class Doings:
    """In the order of time; `kind` of a record: login, logout, failed."""

    def __init__(self, lines: Iterable[Line] = (), records: Iterable[Event] = ()) -> None:
        self.lines: list[Line] = list(lines)
        self.records: list[Event] = list(records)
        #: Of accounts that he logged in as: lastlog goes by them.
        self.uids: dict[str, int] = {}
        #: Before this nothing is in the journal any more: he had it trimmed.
        self.journal_from = 0.0

    def __bool__(self) -> bool:
        return bool(self.lines or self.records)

    def say(self, at: float, facility: str, tag: str, text: str) -> None:
        self.lines.append(Line(at, facility, tag[:64], printable(text)[:LONGEST]))
        del self.lines[:-MOST_LINES]

    def note(self, record: Event) -> None:
        self.records.append(record)
        del self.records[:-MOST_RECORDS]

    def take(self, other: Doings) -> None:
        """What is another's becomes his."""
        self.uids |= other.uids
        self.lines = sorted([*self.lines, *other.lines], key=lambda line: line.at)[-MOST_LINES:]
        self.records = sorted([*self.records, *other.records], key=lambda record: record.at)[-MOST_RECORDS:]

    def told(self, facilities: tuple[str, ...], begin: float, end: float) -> list[Line]:
        return [line for line in self.lines if line.facility in facilities and begin <= line.at < end]

    def recorded(self, kinds: tuple[str, ...], begin: float, end: float) -> list[Event]:
        return [one for one in self.records if one.kind in kinds and begin <= one.at < end]

    def dump(self) -> dict[str, Any]:
        return {"lines": [astuple(line) for line in self.lines], "records": [astuple(one) for one in self.records], "uids": self.uids, "from": self.journal_from}


def restored(saved: dict[str, Any]) -> Doings:
    """Raises KeyError, TypeError or ValueError for what is no dump."""
    lines = [Line(float(at), str(facility), str(tag), str(text)) for at, facility, tag, text in saved["lines"]]
    records = [
        Event(float(at), str(kind), str(user), str(source), str(text), float(until), str(tty), int(pid))
        for at, kind, user, source, text, until, tty, pid in saved["records"]
    ]
    made = Doings(lines[-MOST_LINES:], records[-MOST_RECORDS:])
    made.uids = {str(name): int(uid) for name, uid in saved["uids"].items()}
    made.journal_from = float(saved.get("from", 0.0))
    return made


def printable(text: str) -> str:
    """rsyslog writes control characters of a message as #ooo, three octal digits."""
    return "".join(letter if letter >= " " and letter != "\x7f" else f"#{ord(letter):03o}" for letter in text)


NOBODY = Doings()
