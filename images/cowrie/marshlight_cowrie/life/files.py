"""The traces as files of the tree: contents made when they are read, in step with the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..tree.host_layer import installed_at
from . import history
from .growing import Book, Table
from .happenings import booted_at, events
from .logs import LOGGED, Log, logs

if TYPE_CHECKING:
    from ..persona import Persona


@dataclass(frozen=True)
class Trace:
    path: str
    mode: int
    uid: int
    gid: int
    read: Callable[[], bytes]
    changed: Callable[[], float]
    size: Callable[[], int] | None = None
    #: How it goes on with an attacker's doings in it.
    book: Book | Table | None = None


#: A listing of /var/log shows sizes up to this old: each is found by writing the log.
SIZE_SECONDS = 20


class Sizes:
    """Of logs, by path; that of a finished one never changes."""

    def __init__(self, persona: Persona, clock: Callable[[], float]) -> None:
        self.persona, self.clock = persona, clock
        self.known: dict[tuple[str, float], tuple[float, int]] = {}

    def of(self, log: Log) -> int:
        now = self.clock()
        key = (log.path, log.begin)
        at, size = self.known.get(key, (-1.0, 0))
        if at < 0 or (log.end > now and not 0 <= now - at < SIZE_SECONDS):
            at, size = now, len(log.read(self.persona, now))
            self.known[key] = (at, size)
        return size


def crontabs(persona: Persona) -> list[Trace]:
    """The lines of the schedule where they stand, unless the persona brings the file."""
    brought = {file.path for file in persona.files}
    found: dict[str, list[str]] = {}
    for cron in persona.schedule.cron if persona.schedule else ():
        own = cron.file.startswith("/var/spool/cron/")
        found.setdefault(cron.file, []).append(f"{cron.at} {'' if own else cron.user + ' '}{cron.command}\n")
    made = []
    for path, rows in found.items():
        if path in brought or path == "/etc/crontab" or not path.startswith(("/etc/cron", "/var/spool/cron/")):
            continue
        uid = next((user.uid for user in persona.users if path.endswith(f"/{user.name}")), 0)
        text = "".join(rows).encode("utf-8", "surrogateescape")
        mode = 0o600 if path.startswith("/var/spool/cron/") else 0o644
        made.append(Trace(path, mode, uid, 0, lambda text=text: text, lambda: installed_at(persona)))  # type: ignore[misc]
    return made


def traces(persona: Persona, clock: Callable[[], float]) -> list[Trace]:
    """Which files there are now; ask again after midnight, when logs are turned over."""
    sizes = Sizes(persona, clock)
    made = crontabs(persona)
    made += [
        Trace(
            *(log.path, log.mode, 0, log.gid),
            lambda log=log: log.read(persona, clock()),  # type: ignore[misc]
            lambda log=log: log.changed(persona, clock()),  # type: ignore[misc]
            lambda log=log: sizes.of(log),  # type: ignore[misc]
            Book(persona, clock, log),
        )
        for log in logs(persona, clock())
    ]

    def latest() -> float:
        booted = booted_at(persona, clock())
        return max((event.at for event in events(persona, booted, clock(), LOGGED)), default=booted)

    for path, mode in (("/run/utmp", 0o664), ("/var/log/lastlog", 0o664)):
        table = Table(persona, clock, path)
        made.append(Trace(path, mode, 0, 43, table.whole, latest, book=table))
    brought = {file.path: file.content.encode("utf-8", "surrogateescape") for file in persona.files}
    for user in persona.users:
        if persona.schedule and any(login.user == user.name for login in persona.schedule.logins):
            path = f"{user.home.rstrip('/')}/.bash_history"
            made.append(
                Trace(
                    *(path, 0o600, user.uid, user.gid),
                    lambda user=user, path=path: history.text(persona, user, clock(), brought.get(path, b"")),  # type: ignore[misc]
                    lambda user=user: history.changed(persona, user, clock()),  # type: ignore[misc]
                )
            )
    return made
