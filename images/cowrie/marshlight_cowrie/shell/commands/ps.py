"""ps: rows of the process table in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .names import user
from .processes import comm, rows_of
from .ps_options import HEADS, Asked, Wrong
from .times import local

if TYPE_CHECKING:
    from ..ports import Process, Row


async def ps(p: Process) -> int:
    asked = Asked()
    try:
        asked.read(p.args[1:])
    except Wrong as wrong:
        text = f"error: {wrong}\n" if str(wrong) else ""
        p.stderr.write(
            f"{text}\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n"
            "  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n".encode()
        )
        return 1
    if asked.version:
        p.out("ps from procps-ng 4.0.2\n")
        return 0
    chosen = [row for row in rows_of(p) if asked.wants(p, row)]
    for key in reversed(asked.sort):
        name = key.lstrip("+-")
        chosen.sort(key=lambda row, name=name: order_of(row, name), reverse=key.startswith("-"))  # type: ignore[misc]
    columns = asked.columns()
    cells = [[cell(p, row, name, last=index == len(columns) - 1) for index, (name, _) in enumerate(columns)] for row in chosen]
    heads = [head for _, head in columns]
    lines = []
    if any(heads) and not asked.headless:
        lines.append(line_of(columns, heads, True))
    lines += [line_of(columns, row, False) for row in cells]
    width = p.size[0] if p.stdout.is_tty and not asked.wide else 10**6
    p.out("".join(line[:width] + "\n" for line in lines))
    return 0 if chosen else 1


def line_of(columns: list[tuple[str, str]], cells: list[str], heading: bool) -> str:
    made = []
    for index, ((name, head), text) in enumerate(zip(columns, cells, strict=True)):
        width = HEADS.get(name, (head, -8 if name == "uid_name" else 8))[1]
        if len(columns) == 1 and width < 0 or index == len(columns) - 1 and width < 0:
            made.append(text)
        elif width < 0:
            made.append(f"{text:<{max(-width, len(head))}}")
        else:
            made.append(f"{text:>{max(width, len(head))}}")
    return " ".join(made)


def order_of(row: Row, name: str) -> object:
    return {
        **{"%cpu": row.cpu, "pcpu": row.cpu, "cpu": row.cpu, "%mem": row.mem, "pmem": row.mem, "mem": row.mem, "rss": row.rss},
        **{"vsz": row.vsz, "vsize": row.vsz, "pid": row.pid, "time": row.used, "start_time": row.started, "user": row.user},
    }.get(name, row.pid)  # type: ignore[dict-item]


def clock(seconds: float, hours: bool = True) -> str:
    whole = int(seconds)
    if not hours:
        return f"{whole // 60}:{whole % 60:02d}"
    days = f"{whole // 86400}-" if whole >= 86400 else ""
    return f"{days}{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def since(p: Process, row: Row) -> str:
    """START of ps: the time today, else the day, else the year."""
    then, now = local(p, row.started), local(p, p.host.now())
    if p.host.now() - row.started < 86400 and then.date() == now.date():
        return then.strftime("%H:%M")
    return then.strftime("%b%d") if then.year == now.year else then.strftime("%Y")


def elapsed(seconds: float) -> str:
    whole = int(seconds)
    days, hours = whole // 86400, whole // 3600 % 24
    front = f"{days}-{hours:02d}:" if days else f"{hours:02d}:" if hours else ""
    return f"{front}{whole // 60 % 60:02d}:{whole % 60:02d}"


def cell(p: Process, row: Row, name: str, last: bool = False) -> str:
    if name in ("user", "euser", "ruser", "uid_name", "group"):
        return row.user if len(row.user) <= 8 else row.user[:7] + "+"
    if name in ("comm", "ucmd"):
        return comm(row.command)
    if name in ("cmd", "args", "command"):
        return row.command if last else row.command[:27]
    if name in ("pid", "ppid"):
        return str(row.pid if name == "pid" else row.ppid)
    if name in ("pgid", "sid"):
        return str(row.pid if row.ppid in (0, 1, 2) or "s" in row.stat else row.ppid)
    if name in ("%cpu", "pcpu", "%mem", "pmem"):
        return f"{row.cpu if 'cpu' in name else row.mem:.1f}"
    if name in ("vsz", "rss", "sz"):
        return str(row.rss if name == "rss" else row.vsz // (4 if name == "sz" else 1))
    if name in ("tty", "tt", "tname"):
        return row.tty.removeprefix("/dev/")
    if name in ("stat", "state", "s"):
        return row.stat if name == "stat" else row.stat[:1]
    if name == "start":
        return local(p, row.started).strftime("%H:%M:%S" if p.host.now() - row.started < 86400 else "  %b %d")
    if name == "lstart":
        return local(p, row.started).strftime("%a %b %e %H:%M:%S %Y")
    if name in ("time", "cputime", "bsdtime"):
        return clock(row.used, name != "bsdtime")
    if name in ("etime", "etimes"):
        age = max(0.0, p.host.now() - row.started)
        return elapsed(age) if name == "etime" else str(int(age))
    if name == "uid":
        found = user(p.fs, row.user)
        return str(found.uid) if found else "0"
    fixed = {"c": str(int(row.cpu)), "ni": "0", "pri": "19", "tpgid": "-1", "nlwp": "1", "label": "-", "wchan": "-", "f": "4", "psr": "0"}
    return since(p, row) if name in ("stime", "start_time") else fixed.get(name, "-")


COMMANDS = {"ps": ps}
