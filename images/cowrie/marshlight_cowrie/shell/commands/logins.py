"""Who is on the machine, by /run/utmp, and for how long it is up: uptime w who users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import records
from .load import loads
from .options import Usage, parse
from .records import here
from .times import local, span
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


def headline(p: Process) -> str:
    now, count = p.host.now(), len(here(p))
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
    options = parse(p, "hsfuoiV", "no-header:h short:s from:f old-style:o ip-addr:i version:V no-current:u")
    if "V" in options:
        p.out("w from procps-ng 4.0.2\n")
        return 0
    short, source = "s" in options, "f" not in options
    if "h" not in options:
        times = "  IDLE" if short else " LOGIN@   IDLE   JCPU   PCPU"
        p.out(f"{headline(p)}\nUSER     TTY      {'FROM'.ljust(16) if source else ' '}{times} WHAT\n")
    rows = p.table.rows() if p.table else []
    for one in here(p):
        if options.operands and one.user not in options.operands:
            continue
        mine = p.tty is not None and p.tty.removeprefix("/dev/") == one.line
        on_it = [row for row in rows if row.tty.removeprefix("/dev/") == one.line]
        what = max(on_it, key=lambda row: ("+" in row.stat, row.pid)).command if on_it else "-"
        idle = 0.0 if mine else quiet(p, one.at)
        used = sum(row.used for row in on_it)
        cells = f"{one.user[:8]:<8} {one.line:<8} {(one.host or '-')[:16].ljust(16) if source else ''}"
        cells += "".join((spent(idle),) if short else (when(p, one.at), spent(idle), spent(used), spent(0.0)))
        p.out(f"{cells} {what}\n")
    return 0


def quiet(p: Process, since: float) -> float:
    """Seconds that another person has not typed: some part of the stay."""
    return (p.host.now() - since) * (0.1 + 0.5 * p.host.random(f"idle {int(since)}"))


def when(p: Process, at: float) -> str:
    there, now = local(p, at), local(p, p.host.now())
    if p.host.now() - at > 12 * 3600 and there.date() != now.date():
        return f" {there:%a%H}  " if p.host.now() - at < 6 * 86_400 else f" {there:%d%b%y}"
    return f" {there:%H:%M}  "


def spent(seconds: float) -> str:
    """As w has it, in seven columns: 4.00s, 3:25m, 2days."""
    if seconds >= 48 * 3600:
        return f" {int(seconds // 86_400):2d}days"
    if seconds >= 3600:
        return f" {int(seconds // 3600):2d}:{int(seconds // 60 % 60):02d}m"
    if seconds >= 60:
        return f" {int(seconds // 60):2d}:{int(seconds % 60):02d} "
    return f" {seconds:5.2f}s"


async def who(p: Process) -> int:
    options = parse(p, "abdHlmpqrstTuw", "all:a boot:b dead:d heading:H count:q login:l lookup process:p runlevel:r short:s time:t mesg:T message:T writable:T users:u")
    if len(options.operands) == 2:
        options.given.append(("m", ""))
    path = options.operands[0] if len(options.operands) == 1 else records.UTMP
    try:
        every = records.parsed(p.fs.read(p.path(path)))
    except OSError as error:
        if path == records.UTMP:
            every = []
        else:
            raise Usage(f"who: {path}: {strerror(error)}\n") from None
    people = here(p) if path == records.UTMP else [one for one in every if one.kind == records.USER]
    if "q" in options:
        names = [one.user for one in people]
        p.out(" ".join(names) + f"\n# users={len(names)}\n")
        return 0
    if "m" in options:
        people = [one for one in people if p.tty is not None and p.tty.removeprefix("/dev/") == one.line]
    wide = options.any("aTw")
    long = options.any("au") or options.any("l")
    if "H" in options:
        p.out(f"NAME     {'  ' if wide else ''}LINE         TIME            {' IDLE          PID' if long else ''} COMMENT{'  EXIT' if options.any('ad') else ''}\n")
    only = options.any("bdlpr") and not options.any("a")
    mark = "  " if wide else ""
    for one in every:
        time = f"{local(p, one.at):%Y-%m-%d %H:%M}"
        if one.kind == records.BOOT_TIME and options.any("ab"):
            p.out(f"{'':<8} {mark}{'system boot':<12} {time}\n")
        elif one.kind == records.RUN_LEVEL and one.line == "~" and options.any("ar") and one.pid & 0xFF > 32:
            p.out(f"{'':<8} {mark}run-level {chr(one.pid & 0xFF)}  {time}\n")
        elif one.kind == records.LOGIN and options.any("al"):
            p.out(f"{'LOGIN':<8} {mark}{one.line:<12} {time}        {one.pid:10d} id={one.id}\n")
        elif one.kind == records.DEAD and options.any("ad"):
            p.out(f"{'':<8} {mark}{one.line:<12} {time}        {one.pid:10d} id={one.id}  term=0 exit=0\n")
        elif one in people and (not only or "u" in options):
            state = f"{'+' if one.host or p.account.uid == 0 else '?'} " if wide else ""
            idle = f" {'  .  ' if p.tty and p.tty.endswith(one.line) else '  ?  '}{one.pid:12d}" if long else ""
            p.out(f"{one.user:<8} {state}{one.line:<12} {time}{idle}{f' ({one.host})' if one.host else ''}\n")
    return 0


async def users_(p: Process) -> int:
    path = (p.args[1:] or [records.UTMP])[0]
    found = here(p) if path == records.UTMP else [one for one in records.parsed(p.fs.read(p.path(path))) if one.kind == records.USER]
    if found:
        p.out(" ".join(sorted(one.user for one in found)) + "\n")
    return 0


COMMANDS = {"uptime": uptime, "w": w, "who": who, "users": users_}
