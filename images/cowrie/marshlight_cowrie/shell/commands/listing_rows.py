"""One name of ls: its row in a long list, its mark, its colour."""

from __future__ import annotations

import math
import stat as modes
from typing import TYPE_CHECKING

from .names import group_name, user_name
from .options import Options
from .times import local
from .wording import PLAIN, quoted

if TYPE_CHECKING:
    from ..ports import Process, Stat

HALF_YEAR = 15778476


class Item:
    def __init__(self, name: str, path: str, stat: Stat) -> None:
        self.name, self.path, self.stat = name, path, stat


def front(item: Item, options: Options) -> tuple[str, str]:
    inode = str(item.stat.inode) if "i" in options else ""
    size = str(blocks_of(item.stat)) if "s" in options else ""
    return inode, size


def long_list(p: Process, items: list[Item], options: Options) -> list[str]:
    rows = []
    for item in items:
        stat = item.stat
        named = "n" not in options
        owner = user_name(p.fs, stat.uid) if named else str(stat.uid)
        group = group_name(p.fs, stat.gid) if named else str(stat.gid)
        if modes.S_ISCHR(stat.mode) or modes.S_ISBLK(stat.mode):
            size = device_numbers(item.path)
        else:
            size = human(stat.size) if "h" in options else str(stat.size)
        rows.append([*front(item, options), modes.filemode(stat.mode), str(stat.links), owner, group, size])
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(7)]
    lines = []
    for item, row in zip(items, rows, strict=True):
        cells = [f"{row[i]:>{widths[i]}}" for i in (0, 1) if row[i]]
        cells += [row[2], f"{row[3]:>{widths[3]}}"]
        if "g" not in options:
            cells.append(f"{row[4]:<{widths[4]}}")
        if not options.any("oG"):
            cells.append(f"{row[5]:<{widths[5]}}")
        cells += [f"{row[6]:>{widths[6]}}", when(p, item.stat, options), painted(p, item, options)]
        link = f" -> {pointed(p, item, options)}" if modes.S_ISLNK(item.stat.mode) and item.stat.target else ""
        lines.append(" ".join(cells) + (link or mark(item, options)))
    return lines


def when(p: Process, stat: Stat, options: Options) -> str:
    moment = local(p, stat.ctime if "c" in options else stat.mtime)
    style = options.value("time-style") or ("full-iso" if "full-time" in options else "locale")
    if style == "full-iso":
        return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond:06d}000" + moment.strftime(" %z")
    if style == "long-iso":
        return moment.strftime("%Y-%m-%d %H:%M")
    if style.startswith("+"):
        return moment.strftime(style[1:])
    now = p.host.now()
    recent = now - HALF_YEAR < stat.mtime <= now + 60
    return moment.strftime("%b %e %H:%M") if recent else moment.strftime("%b %e  %Y")


def mark(item: Item, options: Options) -> str:
    mode = item.stat.mode
    if "F" not in options and "p" not in options and "file-type" not in options:
        return ""
    if modes.S_ISDIR(mode):
        return "/"
    if "F" not in options:
        return ""
    if modes.S_ISLNK(mode):
        return "@"
    if modes.S_ISFIFO(mode):
        return "|"
    return "*" if mode & 0o111 and modes.S_ISREG(mode) else ""


def shown(name: str, p: Process) -> str:
    """On a terminal names are quoted where a shell would need it; in a pipe they stand as they are."""
    return name if not p.stdout.is_tty or PLAIN.fullmatch(name) else quoted(name)


def painted(p: Process, item: Item, options: Options) -> str:
    name = shown(item.name, p)
    if options.colours is None:
        return name
    return options.colours.painted(name, options.colours.of(item.name, item.stat, lambda: dangling(p, item)))


def dangling(p: Process, item: Item) -> bool:
    try:
        p.fs.stat(item.path)
    except OSError:
        return True
    return False


def pointed(p: Process, item: Item, options: Options) -> str:
    """Where a link leads, in the colour of what is there."""
    target = item.stat.target or ""
    if options.colours is None:
        return target
    try:
        return options.colours.painted(target, options.colours.of(target, p.fs.stat(item.path), lambda: False))
    except OSError:
        return options.colours.painted(target, options.colours.kinds.get("or", ""))


def blocks_of(stat: Stat) -> int:
    """In units of 1024 bytes: whole blocks of 4096."""
    if modes.S_ISLNK(stat.mode) or not (modes.S_ISREG(stat.mode) or modes.S_ISDIR(stat.mode)):
        return 0
    return -(-stat.size // 4096) * 4


def human(size: float, base: int = 1024) -> str:
    """Rounded up, as coreutils do: one digit after the point below ten."""
    if size < base:
        return str(int(size))
    for unit in "KMGTPE":
        size /= base
        if math.ceil(size * 10) / 10 < 10:
            return f"{math.ceil(size * 10) / 10:.1f}{unit}"
        if math.ceil(size) < base or unit == "E":
            return f"{math.ceil(size)}{unit}"
    return str(size)


def device_numbers(path: str) -> str:
    major, minor = {
        **{"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "kmsg": (1, 11)},
        **{"tty": (5, 0), "console": (5, 1), "ptmx": (5, 2), "mem": (1, 1)},
        **{"sda": (8, 0), "sda1": (8, 1), "sda2": (8, 2), "sda5": (8, 5)},
    }.get(path.rsplit("/", 1)[-1], (4, 64))
    return f"{major}, {minor:3d}"
