"""journalctl: what the machine's daemons said, and what this attacker's visits made them say."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .options import Usage, parse
from .times import local, zone

if TYPE_CHECKING:
    from ...life.lines import Line
    from ..ports import Process
    from .options import Options

#: How far back the journal reaches before it is trimmed to its size.
KEPT_SECONDS = 45 * 86_400.0
#: Units whose daemons go by other names.
NAMES = {"ssh": ("sshd",), "sshd": ("sshd",), "cron": ("CRON", "cron", "crontab"), "crond": ("CROND", "crond")}
#: What a session's processes say belongs to its scope, and not to the daemon's unit.
OF_SESSIONS = re.compile(r"Received disconnect from (?!.*\[preauth\])|Disconnected from user|pam_unix\(sshd:session\): session closed|pam_env")
#: Groups that may read it all, as Debian numbers them.
ADM, JOURNAL = 4, 999
HINT = (
    "Hint: You are currently not seeing messages from other users and the system.\n"
    "      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n"
)
LONG = (
    "no-full no-pager pager-end:e follow:f lines=:n unit=:u user-unit= since=:S until=:U dmesg:k identifier=:t grep=:g output=:o "
    "reverse:r quiet:q catalog:x all:a priority=:p system user merge:m utc no-tail no-hostname disk-usage list-boots vacuum-time= "
    "vacuum-size= vacuum-files= rotate flush sync header fields:N help:h version facility= file= directory=:D"
)


async def journalctl(p: Process) -> int:
    args = [re.sub(r"^-n(?=\d)", "--lines=", word) for word in p.args[1:]]
    options = parse(p, "aefg:hkln:o:p:qrS:t:u:U:xb:mD:M:c:N", LONG, args=joined(args), hint=False)
    now = p.host.now()
    if "version" in options:
        p.out("systemd 252 (252.31-1~deb12u1)\n")
        return 0
    if p.account.uid and not {ADM, JOURNAL} & {p.account.gid, *p.account.groups}:
        p.stderr.write(("" if "q" in options else HINT).encode() + b"No journal files were opened due to insufficient permissions.\n")
        return 1
    journal = getattr(p.host, "journal", None)
    if any(name in options for name in ("vacuum-time", "vacuum-size", "vacuum-files")):
        if journal is not None:
            p.host.forget_journal()  # type: ignore[attr-defined]
        p.stderr.write(b"Vacuuming done, freed 0B of archived journals from /run/log/journal.\n")
        return 0
    if any(name in options for name in ("rotate", "flush", "sync")):
        return 0
    if "disk-usage" in options:
        p.out(f"Archived and active journals take up {8 * (1 + int(3 * p.host.random('journal')))}.0M in the file system.\n")
        return 0
    begin = moment(p, options.text("S"), now) if "S" in options else now - KEPT_SECONDS
    end = moment(p, options.text("U"), now) if "U" in options else now
    if options.any("bk"):
        begin = max(begin, p.host.persona.booted_at)
    lines: list[Line] = journal(begin, end) if journal is not None else []
    lines = [line for line in lines if wanted(line, options)]
    most = options.text("n", "10" if "f" in options else "1000" if "e" in options else "")
    if most.isdigit():
        lines = lines[-int(most) or len(lines) :]
    told = [shown(p, line, options.text("o", "short")) for line in lines]
    if "r" in options:
        told.reverse()
    p.out("".join(told) if told else "-- No entries --\n")
    if "f" in options:
        await p.host.sleep(1e7)
    return 0


def joined(args: list[str]) -> list[str]:
    """`-b` and `--boot` take a number only where it is put to them."""
    made: list[str] = []
    for at, word in enumerate(args):
        follows = args[at + 1] if at + 1 < len(args) else ""
        made.append("-b0" if word in ("-b", "--boot") and not re.fullmatch(r"-?\d+|all|[0-9a-f]{32}", follows) else word)
    return made


def wanted(line: Line, options: Options) -> bool:
    name = line.tag.partition("[")[0]
    units = options.values("u")
    if units and not any(of_unit(line, name, unit) for unit in units):
        return False
    if options.values("t") and name not in options.values("t"):
        return False
    if "k" in options and line.facility != "kern":
        return False
    for word in options.operands:
        key, equals, value = word.partition("=")
        if equals and key in ("_COMM", "SYSLOG_IDENTIFIER") and value != name:
            return False
        if equals and key == "_PID" and f"[{value}]" not in line.tag:
            return False
        if equals and key == "_SYSTEMD_UNIT" and not of_unit(line, name, value):
            return False
    if "g" in options:
        pattern = options.text("g")
        flags = 0 if pattern != pattern.lower() else re.IGNORECASE
        try:
            return re.search(pattern[:200], line.text[:400], flags) is not None
        except re.error:
            raise Usage(f'Failed to compile pattern "{pattern}"\n') from None
    return True


def of_unit(line: Line, name: str, unit: str) -> bool:
    bare = unit.removesuffix(".service")
    if name == "systemd":
        return f"{bare}.service" in line.text
    if name == "sshd" and OF_SESSIONS.match(line.text):
        return False
    return name in NAMES.get(bare, (bare,))


def shown(p: Process, line: Line, form: str) -> str:
    there = local(p, line.at)
    if form == "cat":
        return f"{line.text}\n"
    date = {
        "short-iso": f"{there:%Y-%m-%dT%H:%M:%S%z}", "short-iso-precise": there.isoformat(timespec="microseconds"),
        "short-precise": f"{there:%b %d %H:%M:%S.%f}", "short-full": f"{there:%a %Y-%m-%d %H:%M:%S %Z}",
        "short-unix": f"{line.at:.6f}",
    }.get(form, f"{there:%b %d %H:%M:%S}")  # fmt: skip
    return f"{date} {p.host.persona.hostname} {line.tag}: {line.text}\n"


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(p: Process, text: str, now: float) -> float:
    """As systemd.time(7) has it: names, spans back from now, dates and times."""
    there, words = local(p, now), text.strip().lower()
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": there, "today": midnight, "yesterday": midnight - timedelta(days=1), "tomorrow": midnight + timedelta(days=1)}
    if words in named:
        return named[words].timestamp()
    span = re.fullmatch(r"-?\s*(\d+)\s*(s|m|h|d|w)[a-z]*(?:\s+ago)?", words)
    if span and (words.startswith("-") or words.endswith("ago")):
        return now - int(span[1]) * UNITS[span[2]]
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M"):
        try:
            read = datetime.strptime(text.strip(), form)
        except ValueError:
            continue
        if form.startswith("%H"):
            read = read.replace(year=there.year, month=there.month, day=there.day)
        return read.replace(tzinfo=zone(p)).timestamp()
    raise Usage(f"Failed to parse timestamp: {text}\n")


COMMANDS = {"journalctl": journalctl}
