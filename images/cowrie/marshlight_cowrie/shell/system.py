"""What the shells of one session share: the machine, its commands, the processes that run on it."""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .budget import Budget
from .processes import SessionTable
from .tasks import Scheduler

if TYPE_CHECKING:
    from .ports import Account, FileSystem, Host, Registry


@dataclass
class System:
    host: Host
    fs: FileSystem
    registry: Registry
    scheduler: Scheduler
    table: SessionTable
    session: Any = None
    tty: str | None = None
    size: tuple[int, int] = (80, 24)
    #: A registered command counts as there although no file stands at its path.
    lenient: bool = False
    #: Told of a command name that was found (True) or not.
    on_command: Callable[[str, bool], None] = lambda name, found: None
    #: Told of an exception of a command that is not the attacker's doing.
    on_failure: Callable[[BaseException], None] = lambda error: None
    #: Told of a file that was written: path and whole contents.
    on_written: Callable[[str], None] = lambda path: None
    #: Told of each program before it runs, and asked before it has a process: the status where it gets none.
    on_process: Callable[[Any], None] | None = None
    on_fork: Callable[[Callable[[str], None], str], Awaitable[int | None]] | None = None
    #: What attackers' programs left running (`binaries`), and what is detached (`commands/multiplexers`).
    daemons: list[int] = field(default_factory=list)
    multiplexers: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    #: Paths that this session (or an earlier visit) wrote: what is there is not the persona's.
    writes: set[str] = field(default_factory=set)

    #: Whether the attacker made what is there; None where the tree does not say.
    was_written: Callable[[str], bool | None] = lambda path: None

    def written(self, path: str) -> bool:
        path = posixpath.normpath(path)
        said = self.was_written(path)
        return path in self.writes if said is None else said

    def home_of(self, name: str) -> str | None:
        found = self.account_of(name)
        return found.home if found else None

    def account_of(self, name: str) -> Account | None:
        from .ports import Account

        try:
            lines = self.fs.read("/etc/passwd").decode("utf-8", "replace").splitlines()
        except OSError:
            return None
        for line in lines:
            fields = line.split(":")
            if len(fields) >= 7 and (fields[0] == name or fields[2] == name):
                uid, gid = int(fields[2]), int(fields[3])
                return Account(fields[0], uid, gid, self.groups_of(fields[0], gid), fields[5], fields[6])
        return None

    def groups_of(self, name: str, gid: int) -> tuple[int, ...]:
        try:
            lines = self.fs.read("/etc/group").decode("utf-8", "replace").splitlines()
        except OSError:
            return (gid,)
        rows = [line.split(":") for line in lines]
        more = [int(row[2]) for row in rows if len(row) >= 4 and row[2].isdigit() and name in row[3].split(",")]
        return (gid, *(group for group in more if group != gid))
