"""The persona's own processes as /proc tells them: their programs and arguments, as far as a line of ps says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .kernel import comm
from .running import Running

if TYPE_CHECKING:
    from ..persona import Persona


def of_persona(persona: Persona, pid: int, row: Any = None) -> Running | None:
    """One that the persona has; `row`: one of the session that stands for a daemon's."""
    found = row or next((process for process in persona.processes if process.pid == pid), None)
    if found is None:
        return None
    user = next((user for user in persona.users if user.name == found.user or user.name[:8] == found.user), None)
    uid, gid = (user.uid, user.gid) if user else (0, 0)
    kernel = found.command.startswith("[")
    ppid = row.ppid if row else 0 if pid in (1, 2) else 2 if kernel else 1
    args = () if kernel else (found.command,) if titled(found.command) else tuple(found.command.split(" "))
    exe = None if kernel else program(found.command)
    # Started as /sbin/init, it gives itself its name.
    name = "systemd" if pid == 1 and any("/systemd-" in process.command for process in persona.processes) else comm(found.command)
    return Running(pid, ppid, uid, gid, (gid,), args, name, exe, state=found.stat[:1], vsz=found.vsz, rss=found.rss, tty=found.tty, started=row.started if row else persona.booted_at)


class Daemons:
    """Those of a persona by their numbers, made once: a walk through /proc asks for each a hundred times."""

    def __init__(self) -> None:
        self.persona: Persona | None = None
        self.known: dict[int, Running] = {}

    def of(self, persona: Persona) -> dict[int, Running]:
        if persona is not self.persona:
            found = ((process.pid, of_persona(persona, process.pid)) for process in persona.processes)
            self.persona, self.known = persona, {pid: one for pid, one in found if one}
        return self.known


def titled(command: str) -> bool:
    """It wrote its own line over its arguments (setproctitle(3))."""
    return command.split(" ")[0].endswith(":")


def program(command: str) -> str:
    """The program's name, or path, as far as its line tells."""
    first, _, rest = command.partition(" ")
    second = rest.split(" ")[0]
    return second if first.endswith(":") and second.startswith("/") else first.rstrip(":").lstrip("-")
