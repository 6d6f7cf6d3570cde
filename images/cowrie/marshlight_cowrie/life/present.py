"""Who is on the host at a moment, and which processes come and go with that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..shell.ports import Row
from .calendar import DAY, chance
from .happenings import Event, Session, events, sessions

if TYPE_CHECKING:
    from ..persona import Persona


def logins(persona: Persona, now: float) -> list[Session]:
    """Who is logged in, as `w` has it."""
    return [session for session in sessions(persona, now - DAY, now) if session.end is None]


def processes(persona: Persona, now: float) -> list[Row]:
    """Besides those that always run, which the persona names."""
    rows = []
    for session in logins(persona, now):
        rows += of_session(persona, session)
    for event in events(persona, now - 3600, now):
        if event.kind in ("cron", "timer") and event.until > now:
            rows += of_job(event)
    return rows


def of_session(persona: Persona, session: Session) -> list[Row]:
    shell = next((user.shell for user in persona.users if user.name == session.user), "/bin/bash")
    size = 7_800 + chance(persona, "shell", session.pid).randrange(900)
    common = {"cpu": 0.0, "mem": 0.1, "started": session.begin, "used": 0.0}
    return [
        Row("root", session.pid, listener(persona), vsz=17_732, rss=11_024, tty="?", stat="Ss", command=f"sshd: {session.user} [priv]", **common),  # type: ignore[arg-type]
        Row(
            *(session.user, session.pid + 7, session.pid),
            **{"vsz": 17_992, "rss": 6_740, "tty": "?", "stat": "S", "command": f"sshd: {session.user}@{session.tty}"},
            **common,
        ),  # type: ignore[arg-type]
        Row(
            *(session.user, session.pid + 8, session.pid + 7),
            **{"vsz": size, "rss": size - 2_600, "tty": session.tty, "stat": "Ss+", "command": f"-{shell.rsplit('/', 1)[-1]}"},
            **common,
        ),  # type: ignore[arg-type]
    ]


def listener(persona: Persona) -> int:
    """The process of the daemon that waits for clients; 1 where none is named."""
    for process in persona.processes:
        if process.command.startswith("sshd:") or process.command.split(" ")[0].endswith("/sshd"):
            return process.pid
    return 1


def of_job(event: Event) -> list[Row]:
    common = {"cpu": 0.3, "mem": 0.1, "tty": "?", "started": event.at, "used": 0.1}
    if event.kind == "timer":
        program = {"apt-daily.service": "/bin/sh /usr/lib/apt/apt.systemd.daily update"}.get(
            event.source, f"/bin/sh -c {event.text.lower()}"
        )
        return [Row("root", event.pid, 1, vsz=2_576, rss=932, stat="Ss", command=program, **common)]  # type: ignore[arg-type]
    return [
        Row("root", event.pid, 1, vsz=8_500, rss=3_300, stat="S", command="/usr/sbin/CRON -f", **common),  # type: ignore[arg-type]
        Row(event.user, event.pid + 1, event.pid, vsz=2_576, rss=908, stat="Ss", command=f"/bin/sh -c {event.text}", **common),  # type: ignore[arg-type]
    ]
