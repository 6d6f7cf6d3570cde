"""Who was on the machine: last lastb lastlog, from wtmp, btmp and lastlog."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from . import records
from .names import users
from .options import Usage, parse
from .records import BOOT_TIME, DEAD, RUN_LEVEL, USER, Record
from .times import local
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process
    from .options import Options

SHUTDOWN = 254
RAW = {"last": "/var/log/wtmp", "lastb": "/var/log/btmp"}


async def last(p: Process) -> int:
    name = p.args[0].rsplit("/", 1)[-1]
    args = [word if not re.fullmatch(r"-\d+", word) else f"-n{word[1:]}" for word in p.args[1:]]
    options = parse(
        p, "adf:FhiIn:p:Rs:t:VwxT",
        "hostlast:a dns:d file:f fulltimes:F ip:i limit:n nohostname:R since:s until:t present:p fullnames:w system:x help:h version:V time-format=",
        args=args, hint=False,
    )  # fmt: skip
    if "V" in options:
        p.out(f"{name} from util-linux 2.38.1\n")
        return 0
    path = options.text("f", RAW[name])
    try:
        raw = p.fs.read(p.path(path))
        found = records.parsed(raw)
        begun = found[0].at if found else p.fs.stat(p.path(path)).ctime
    except OSError as error:
        raise Usage(f"{name}: cannot open {path}: {strerror(error)}\n") from None
    most = int(options.text("n", "0") or 0) if (options.text("n", "0") or "0").isdigit() else 0
    told = [row for row in (failures(found) if name == "lastb" else stays(p, found, "x" in options)) if wanted(row[0], options.operands)]
    for row in told[: most or None]:
        p.out(line_of(p, options, *row))
    p.out(f"\n{path.rsplit('/', 1)[-1]} begins {local(p, begun):%a %b %e %H:%M:%S %Y}\n")
    return 0


#: A record, when it ended (None: not by a time), and what is said in the place of the end.
Row = tuple[Record, float | None, str]


def failures(found: list[Record]) -> list[Row]:
    return [(one, one.at, "") for one in reversed(found)]


def stays(p: Process, found: list[Record], extended: bool) -> list[Row]:
    """From the newest record to the oldest, each log-in with the end that a later record gave it."""
    told: list[Row] = []
    running = records.alive(p)
    ends: dict[str, float] = {}
    down: tuple[float, str] | None = None
    turned: float | None = None
    for one in reversed(found):
        kind = kind_of(one)
        if kind == SHUTDOWN:
            if extended:
                told.append((named(one, "shutdown", "system down"), turned, "still running"))
            down, turned = (one.at, "- down "), one.at
            ends.clear()
        elif kind == BOOT_TIME:
            told.append((named(one, "reboot", "system boot"), end_of_boot(found, one), "still running"))
            turned, down = one.at, (one.at, "- crash")
            ends.clear()
        elif kind == RUN_LEVEL:
            if extended:
                level = chr(one.pid & 0xFF) if 32 < one.pid & 0xFF < 127 else "0"
                told.append((named(one, "runlevel", f"(to lvl {level})"), end_of_boot(found, one), "still running"))
        elif kind == USER:
            if one.line in ends:
                told.append((one, ends[one.line], ""))
            elif down is not None:
                told.append((one, down[0], down[1]))
            else:
                told.append((one, None, "still logged in" if one.pid in running else "gone - no logout"))
            ends[one.line] = one.at
        elif kind == DEAD and one.line:
            ends[one.line] = one.at
    return told


def kind_of(one: Record) -> int:
    if one.line.startswith("~"):
        return {"shutdown": SHUTDOWN, "reboot": BOOT_TIME, "runlevel": RUN_LEVEL}.get(one.user, one.kind)
    if one.kind != DEAD and one.user and one.line and one.user != "LOGIN":
        return USER
    return DEAD if not one.user else one.kind


def named(one: Record, user: str, line: str) -> Record:
    return Record(one.kind, one.pid, line, one.id, user, one.host, one.at)


def end_of_boot(found: list[Record], boot: Record) -> float | None:
    """When the machine that was started then went down; None while it runs."""
    return next((one.at for one in found if one.at > boot.at and kind_of(one) == SHUTDOWN), None)


def wanted(one: Record, names: list[str]) -> bool:
    return not names or any(word in (one.user, one.line, one.line.removeprefix("tty").removeprefix("pts/")) for word in names)


def line_of(p: Process, options: Options, one: Record, end: float | None, said: str) -> str:
    full = "F" in options
    form = "%a %b %e %H:%M:%S %Y" if full else "%a %b %e %H:%M"
    begin = local(p, one.at).strftime(form)
    if end is not None and not said.startswith("-"):
        finish = local(p, end).strftime(form if full else "%H:%M")
        tail = f" - {finish}  {length(end - one.at)}"
    elif said.startswith("-"):
        tail = f" {said:<{26 if full else 7}} {length((end or one.at) - one.at)}" if full else f" {said} {length((end or one.at) - one.at)}"
    else:
        tail = f"{'   ' if full or said.startswith('still') else '    '}{said}"
    user, host = (one.user, one.host) if "w" in options else (one.user[:8], one.host[:16])
    if "R" in options:
        return f"{user:<8} {one.line:<12} {begin}{tail}".rstrip() + "\n"
    if "a" in options:
        return f"{user:<8} {one.line:<12} {begin}{tail:<{40 if full else 21}} {host}".rstrip() + "\n"
    return f"{user:<8} {one.line:<12} {host:<16} {begin}{tail}".rstrip() + "\n"


def length(seconds: float) -> str:
    minutes = int(max(0.0, seconds)) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    return f"({f'{days}+' if days else ''}{hours:02d}:{rest:02d})"


async def lastlog(p: Process) -> int:
    options = parse(p, "b:Chr:St:u:", "user=:u time=:t before=:b clear:C set:S help:h", hint=False)
    chosen = users(p.fs)
    if "u" in options:
        who = options.text("u")
        low, dash, high = who.partition("-")
        chosen = [one for one in chosen if who == one.name or who == str(one.uid)]
        if dash and (low + high).isdigit():
            chosen = [one for one in users(p.fs) if int(low or 0) <= one.uid <= int(high or 1 << 32)]
        if not chosen:
            raise Usage(f"lastlog: Unknown user or range: {who}\n")
    now, shown = p.host.now(), False
    for account in chosen:
        try:
            known = records.read_lastlog(p.fs, account.uid)
        except OSError as error:
            raise Usage(f"/var/log/lastlog: {strerror(error)}\n") from None
        at = known[0] if known else 0.0
        if "t" in options and now - at > number(options.text("t")) * 86_400 or "b" in options and now - at < number(options.text("b")) * 86_400:
            continue
        if not shown:
            p.out("Username         Port     From                                       Latest\n")
            shown = True
        if known is None:
            p.out(f"{account.name[:16]:<16} {'':<8} {'':<42}**Never logged in**\n")
        else:
            p.out(f"{account.name[:16]:<16} {known[1][:8]:<8} {known[2]:<42}{date(local(p, at))}\n")
    return 0


def number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def date(at: datetime) -> str:
    return f"{at:%a %b %e %H:%M:%S %z %Y}"


COMMANDS = {"last": last, "lastb": last, "lastlog": lastlog}
