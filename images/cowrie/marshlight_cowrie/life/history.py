"""~/.bash_history: what was typed in each log-in, written when that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tree.host_layer import installed_at
from .calendar import DAY, chance
from .happenings import Session, sessions

if TYPE_CHECKING:
    from ..persona import Persona, User

COMMON = (
    ("uptime", "df -h", "free -m", "exit"),
    ("tail -n 50 /var/log/syslog", "exit"),
    ("ls", "cd /var/log", "ls -lt | head", "less syslog", "exit"),
    ("sudo apt update", "apt list --upgradable", "exit"),
    ("systemctl status cron", "journalctl -u cron --since today | tail", "exit"),
    ("w", "last | head", "exit"),
    ("cd /etc", "ls -l", "cat hosts", "cd", "exit"),
    ("du -sh /var/* 2>/dev/null | sort -h | tail -5", "df -h /", "exit"),
    ("top", "ps aux | grep ssh", "exit"),
    ("ip a", "ping -c 3 $(ip route | awk '/default/ {print $3}')", "exit"),
)
BY_PROGRAM = {
    "postgres": ("sudo -u postgres psql -l", "tail /var/log/postgresql/*.log"),
    "nginx": ("sudo nginx -t", "sudo systemctl reload nginx", "tail -f /var/log/nginx/access.log"),
    "mysql": ("mysqladmin status", "mysql -e 'show processlist'"),
    "maria": ("mysqladmin status", "mysql -e 'show processlist'"),
    "smbd": ("sudo smbstatus", "testparm -s"),
    "redis": ("redis-cli info | head -20", "redis-cli dbsize"),
    "docker": ("docker ps", "docker images"),
}


def text(persona: Persona, user: User, now: float, brought: bytes = b"") -> bytes:
    """`brought`: what the persona says stood there when it was made."""
    typed = [line for session in ended(persona, user, now) for line in of_session(persona, session)]
    return brought + "".join(f"{line}\n" for line in typed).encode()


def changed(persona: Persona, user: User, now: float) -> float:
    return max((session.end or 0 for session in ended(persona, user, now)), default=installed_at(persona))


def ended(persona: Persona, user: User, now: float) -> list[Session]:
    # A fixed beginning: what once stood in the file goes on standing in it.
    found = sessions(persona, max(installed_at(persona), persona.anchor - 30 * DAY), now)
    return [session for session in found if session.user == user.name and session.end is not None][:400]


def of_session(persona: Persona, session: Session) -> list[str]:
    drawn = chance(persona, "typed", session.begin)
    choices = list(COMMON)
    running = " ".join(process.command for process in persona.processes)
    choices += [(*lines, "exit") for name, lines in BY_PROGRAM.items() if name in running]
    return [line for _ in range(drawn.randrange(1, 3)) for line in drawn.choice(choices)[:-1]] + ["exit"]
