"""
The process table of one session: the persona's processes and what runs in the session itself.

    persona.processes --minus those that were killed--> rows <--add/remove-- shells and their commands
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..machine.daemons import Daemons, of_persona
from ..machine.kind import small
from ..machine.running import Running
from .looked_at import of_command, of_shell
from .ports import Row
from .tasks import Interrupted, Task

if TYPE_CHECKING:
    from ..persona import Persona
    from .ports import Account, Host, Process

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: What the kernel and init make of a signal they do not handle: nothing.
UNKILLABLE = (1, 2)


class SessionTable:
    def __init__(self, host: Host) -> None:
        self.host = host
        self.killed: set[int] = set()
        self.own: dict[int, Row] = {}
        self.tasks: dict[int, Task] = {}
        self.handlers: dict[int, Callable[[int], bool]] = {}
        #: Commands that run, with the path they were found at; shells, as long as there are.
        self.commands: dict[int, tuple[Process, str]] = {}
        self.daemons = Daemons()
        self.shells: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        #: What the kernel has handed out, and between two of the session's own processes some of others.
        self.last = self._first()

    def _first(self) -> int:
        persona = self.host.persona
        highest = max((process.pid for process in persona.processes), default=600)
        return max(highest, 600) + 100 + int(self.host.random("first pid") * 4000) + int(self.host.now() // 97 % 2000)

    def new_pid(self) -> int:
        given = getattr(self.host, "next_pid", None)
        if given is not None:
            self.last = given()
            return self.last
        self.last += 1
        if self.last > 4_000_000:
            self.last = 300
        return self.last

    def add(self, pid: int, ppid: int, user: str, command: str, tty: str | None, stat: str = "S") -> Row:
        size = 2000 + len(command) * 37 % 5000
        whole = size + 3000
        if small(self.host.persona):
            # One program without libraries to speak of, whatever it does.
            size, whole = 700 + size % 300, 1312 + 4 * (size % 8)
        row = Row(user, pid, ppid, 0.0, 0.1, whole, size, tty or "?", stat, self.host.now(), 0.0, command)
        self.own[pid] = row
        return row

    def remove(self, pid: int) -> None:
        self.own.pop(pid, None)
        self.tasks.pop(pid, None)
        self.commands.pop(pid, None)
        self.handlers.pop(pid, None)

    def rows(self) -> list[Row]:
        persona = self.host.persona
        booted = persona.booted_at
        made = []
        for process in persona.processes:
            if process.pid in self.killed:
                continue
            ppid = 0 if process.pid in (1, 2) else 2 if process.command.startswith("[") else 1
            started = started_at(process.start, self.host.now(), booted)
            made.append(
                Row(
                    process.user, process.pid, getattr(process, "ppid", ppid) or ppid, process.cpu, process.mem, process.vsz,
                    process.rss, process.tty, process.stat, started, seconds_of(process.time), process.command,
                )  # fmt: skip
            )
        others = getattr(self.host, "others", None)
        made += [row for row in (others(self) if others else ()) if row.pid not in self.killed]
        return sorted([*made, *self.own.values()], key=lambda row: row.pid)

    # -- as /proc shows it (tree/processes.py) -----------------------------------------------------------------------

    @property
    def persona(self) -> Persona:
        return self.host.persona

    def now(self) -> float:
        return self.host.now()

    def pids(self) -> list[int]:
        return [*(pid for pid in self.daemons.of(self.persona) if pid not in self.killed), *self.own]

    def running(self, pid: int) -> Running | None:
        shell, row = self.shells.get(pid), self.own.get(pid)
        if row is None and shell is not None:
            # A subshell has no line of its own in the table.
            row = Row(shell.account.name, pid, shell.pid, 0.0, 0.1, 7000, 3500, "?", "S", self.host.now(), 0.0, shell.name)
        if row is None:
            return None if pid in self.killed else self.daemons.of(self.persona).get(pid)
        command = self.commands.get(pid)
        if command is not None:
            return of_command(row, *command)
        if shell is not None:
            return of_shell(row, shell)
        return of_persona(self.persona, pid, row)

    def signal(self, pid: int, number: int, account: Account) -> None:
        row = next((row for row in self.rows() if row.pid == pid), None)
        if row is None:
            raise ProcessLookupError(3, "No such process")
        if account.uid != 0 and row.user not in (account.name, account.name[:8]):
            raise PermissionError(1, "Operation not permitted")
        if number == 0 or row.command.startswith("[") or pid in UNKILLABLE:
            return
        if pid in self.own:
            handler = self.handlers.get(pid)
            if handler and number not in (9, 19) and handler(number):
                return
            task = self.tasks.get(pid)
            if task is not None and number not in (17, 18, 19, 20, 21, 22, 23, 28):
                task.interrupt(Interrupted(number))
        elif number in (1, 2, 3, 6, 9, 11, 13, 14, 15):
            # A daemon reads its configuration again at SIGHUP.
            if number != 1:
                self.killed.add(pid)


def started_at(text: str, now: float, booted: float) -> float:
    """`Jan30`, `08:15` or `2024` of ps, as seconds since 1970; the boot where it says nothing."""
    today = time.gmtime(now)
    try:
        if ":" in text:
            hours, minutes = (int(part) for part in text.split(":")[:2])
            return now - today.tm_hour * 3600 - today.tm_min * 60 - today.tm_sec + hours * 3600 + minutes * 60
        if text[:3] in MONTHS:
            month, day = MONTHS.index(text[:3]) + 1, int(text[3:])
            year = today.tm_year - ((month, day) > (today.tm_mon, today.tm_mday))
            import calendar

            return max(booted, float(calendar.timegm((year, month, day, 0, 0, 0, 0, 0, 0))))
    except ValueError:
        pass
    return booted


def seconds_of(text: str) -> float:
    total = 0.0
    for part in text.replace("-", ":").split(":"):
        total = total * 60 + (float(part) if part.replace(".", "", 1).isdigit() else 0)
    return total
