"""Who is and was on the machine, and for how long it is up: uptime w who users last lastlog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...machine.kind import contained
from .load import loads
from .names import users
from .options import parse
from .times import local, span

if TYPE_CHECKING:
    from ..ports import Process

WEEK = "%a %b %e %H:%M"


def sessions(p: Process) -> list[tuple[str, str, str, float]]:
    """Who is logged in on a terminal: name, terminal, from where, since when (seconds)."""
    if not p.tty:
        return []
    where = getattr(p.session, "peer", None) or getattr(p.session, "address", None) or "192.168.1.10"
    return [(p.account.name, p.tty.removeprefix("/dev/"), str(where), float(p.notes.get("began", p.host.now() - 40)))]


def headline(p: Process) -> str:
    now, count = p.host.now(), len(sessions(p))
    load = ", ".join(f"{value:.2f}" for value in loads(p))
    up = span(now - p.host.persona.booted_at)
    return f" {local(p, now):%H:%M:%S} up {up},  {count} user{'s' if count > 1 else ''},  load average: {load}"


async def uptime(p: Process) -> int:
    options = parse(p, "phsV", "pretty:p help:h since:s version:V", hint=False)
    booted = p.host.persona.booted_at
    if "s" in options:
        p.out(f"{local(p, booted):%Y-%m-%d %H:%M:%S}\n")
    elif "p" in options:
        minutes = int(p.host.now() - booted) // 60
        parts = [(minutes // 10080, "week"), (minutes // 1440 % 7, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
        p.out("up " + ", ".join(f"{n} {unit}{'s' if n > 1 else ''}" for n, unit in parts if n) + "\n")
    else:
        p.out(headline(p) + "\n")
    return 0


async def w(p: Process) -> int:
    options = parse(p, "hsfuoiV", "no-header:h short:s")
    if "h" not in options:
        p.out(headline(p) + "\n")
        p.out("USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n")
    for name, tty, where, since in sessions(p):
        p.out(f"{name[:8]:<8} {tty:<8} {where[:16]:<16} {local(p, since):%H:%M}    1.00s  0.04s  0.00s w\n")
    return 0


async def who(p: Process) -> int:
    options = parse(p, "abdHlmpqrstTuw", "all:a boot:b dead:d heading:H count:q")
    if options.operands[:1] == ["am"] or options.operands[:1] == ["mom"]:
        options.given.append(("m", ""))
    if "H" in options:
        p.out("NAME     LINE         TIME             COMMENT\n")
    if "b" in options and contained(p.host.persona):
        return 0
    if "b" in options:
        p.out(f"         system boot  {local(p, p.host.persona.booted_at):%Y-%m-%d %H:%M}\n")
        return 0
    if "q" in options:
        names = [name for name, *_ in sessions(p)]
        p.out(" ".join(names) + f"\n# users={len(names)}\n")
        return 0
    for name, tty, where, since in sessions(p):
        p.out(f"{name:<8} {tty:<12} {local(p, since):%Y-%m-%d %H:%M} ({where})\n")
    return 0


async def users_(p: Process) -> int:
    names = [name for name, *_ in sessions(p)]
    if names:
        p.out(" ".join(names) + "\n")
    return 0


def history(p: Process) -> list[tuple[str, str, float, float]]:
    """Past log-ins of the persona's people since the boot: name, from, begin, end; newest first."""
    schedule = getattr(p.host.persona, "schedule", None)
    now, booted = p.host.now(), p.host.persona.booted_at
    found = []
    for login in schedule.logins if schedule else ():
        for day in range(int(max(booted, now - 30 * 86400) // 86400), int(now // 86400) + 1):
            if schedule and (day + 3) % 7 + 1 not in schedule.work_days:
                continue
            for index in range(max(1, round(login.per_day)) if login.per_day >= 0.5 else 0):
                seed = p.host.random(f"login {login.user} {day} {index}")
                hour = schedule.work_from + seed * max(0.5, schedule.work_to - schedule.work_from) if schedule else 9
                begin = day * 86400 + hour * 3600
                end = begin + 120 + 5000 * p.host.random(f"logout {login.user} {day} {index}")
                if booted < begin and end < now:
                    found.append((login.user, login.source, begin, end))
    return sorted(found, key=lambda row: -row[2])


async def last(p: Process) -> int:
    args = [word if not (word[:1] == "-" and word[1:].isdigit()) else f"-n{word[1:]}" for word in p.args[1:]]
    options = parse(p, "adf:FiIn:pRs:t:wx", "limit=:n system:x", args=args, hint=False)
    rows = []
    for name, tty, where, since in sessions(p):
        rows.append((name, f"{name[:8]:<8} {tty:<12} {where[:16]:<16} {local(p, since).strftime(WEEK)}   still logged in\n"))
    for name, where, begin, end in history(p):
        minutes = int(end - begin) // 60
        took = f"({minutes // 60:02d}:{minutes % 60:02d})"
        rows.append((name, f"{name[:8]:<8} {'pts/0':<12} {where[:16]:<16} {local(p, begin).strftime(WEEK)} - {local(p, end):%H:%M}  {took}\n"))
    booted, kernel = p.host.persona.booted_at, p.host.persona.os.kernel.release
    if not contained(p.host.persona):
        rows.append(("reboot", f"{'reboot':<8} {'system boot':<12} {kernel[:16]:<16} {local(p, booted).strftime(WEEK)}   still running\n"))
    if options.operands:
        rows = [row for row in rows if row[0] in options.operands]
    if "n" in options:
        rows = rows[: int(options.text("n", "0") or 0)]
    began = local(p, booted - 86400 * int(p.host.random("wtmp") * 20))
    p.out("".join(line for _, line in rows) + f"\nwtmp begins {began.strftime('%a %b %e %H:%M:%S %Y')}\n")
    return 0


async def lastlog(p: Process) -> int:
    options = parse(p, "b:t:u:CS", "user=:u time=:t before=:b")
    seen = {name: (where, begin) for name, where, begin, _ in reversed(history(p))}
    seen |= {name: (where, since) for name, _, where, since in sessions(p)}
    p.out("Username         Port     From                                       Latest\n")
    for account in users(p.fs):
        if "u" in options and options.text("u") not in (account.name, str(account.uid)):
            continue
        if account.name in seen:
            where, when = seen[account.name]
            p.out(f"{account.name[:16]:<16} {'pts/0':<8} {where:<42} {local(p, when):%a %b %e %H:%M:%S %z %Y}\n")
        elif "t" not in options:
            p.out(f"{account.name[:16]:<16} {'':<51} **Never logged in**\n")
    return 0


COMMANDS = {"uptime": uptime, "w": w, "who": who, "users": users_, "last": last, "lastlog": lastlog}
