"""ls, dir, vdir: colours are off, since they are for terminals that ask for them."""

from __future__ import annotations

import math
import stat as modes
from typing import TYPE_CHECKING

from .names import group_name, user_name
from .options import Options, complain, parse, refuse
from .times import local
from .wording import PLAIN, quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process, Stat

SHORT = "1aAbBcCdDfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ"
LONG = (
    "all:a almost-all:A author block-size= color=? directory:d classify=?:F file-type full-time human-readable:h si "
    "dereference:L hide= ignore=:I inode:i numeric-uid-gid:n literal:N quote-name:Q reverse:r recursive:R size:s sort= "
    "time= time-style= width=:w help version group-directories-first no-group:G kibibytes:k indicator-style= zero"
)
HALF_YEAR = 15778476


class Item:
    def __init__(self, name: str, path: str, stat: Stat) -> None:
        self.name, self.path, self.stat = name, path, stat


async def ls(p: Process) -> int:
    options = parse(p, SHORT, LONG, status=2)
    for wrong, name in (("sort", "--sort"), ("time", "--time")):
        value = options.value(wrong)
        if value is not None and value not in ("none", "size", "time", "version", "extension", "atime", "ctime", "mtime"):
            raise refuse(p, f"invalid argument ‘{value}’ for ‘{name}’", 2)
    if "help" in options or "version" in options:
        p.out("ls (GNU coreutils) 9.1\n" if "version" in options else "Usage: ls [OPTION]... [FILE]...\n")
        return 0
    names = options.operands or ["."]
    status = 0
    files: list[Item] = []
    folders: list[Item] = []
    # A link that is named is followed, unless a long list or a mark shall show it.
    follow = not options.any("ldF") or "L" in options
    for name in names:
        try:
            try:
                stat = p.fs.stat(p.path(name), follow=follow)
            except FileNotFoundError:
                stat = p.fs.stat(p.path(name), follow=False)
        except OSError as error:
            complain(p, f"cannot access {quoted(name)}: {strerror(error)}")
            status = 2
            continue
        item = Item(name, p.path(name), stat)
        (folders if modes.S_ISDIR(stat.mode) and "d" not in options else files).append(item)
    if files:
        show(p, ordered(files, options), options, total=False)
    several = len(names) > 1 or "R" in options
    first = not files
    for item in ordered(folders, options):
        status = max(status, walk(p, item, options, several, first))
        first = False
    return status


def walk(p: Process, item: Item, options: Options, heading: bool, first: bool) -> int:
    try:
        names = p.fs.listdir(item.path)
    except OSError as error:
        complain(p, f"cannot open directory {quoted(item.name)}: {strerror(error)}")
        return 2
    if heading:
        p.out(("" if first else "\n") + f"{shown(item.name, p)}:\n")
    hidden = options.any("aAf")
    found = [name for name in names if name not in (".", "..") and (hidden or not name.startswith("."))]
    if options.any("af"):
        found += [".", ".."]
    items = []
    for name in found:
        path = f"{item.path.rstrip('/')}/{name}"
        try:
            items.append(Item(name, path, p.fs.stat(path, follow="L" in options)))
        except OSError:
            continue
    items = ordered(items, options)
    show(p, items, options, total=options.any("lnogs"))
    status = 0
    if "R" in options:
        for child in items:
            if modes.S_ISDIR(child.stat.mode) and child.name not in (".", ".."):
                name = f"{item.name.rstrip('/')}/{child.name}" if item.name != "/" else f"/{child.name}"
                status = max(status, walk(p, Item(name, child.path, child.stat), options, True, False))
    return status


def ordered(items: list[Item], options: Options) -> list[Item]:
    sort = options.value("sort") or {"t": "time", "S": "size", "U": "none", "X": "extension", "f": "none"}.get(
        options.last("tSUXf"), "name"
    )
    if sort == "none":
        return items
    items = sorted(items, key=lambda item: item.name.encode("utf-8", "surrogateescape"))
    if sort == "time":
        items.sort(key=lambda item: -item.stat.mtime)
    elif sort == "size":
        items.sort(key=lambda item: -item.stat.size)
    elif sort == "extension":
        items.sort(key=lambda item: item.name.rpartition(".")[2] if "." in item.name else "")
    if "group-directories-first" in options:
        items.sort(key=lambda item: not modes.S_ISDIR(item.stat.mode))
    return items[::-1] if "r" in options else items


def show(p: Process, items: list[Item], options: Options, *, total: bool) -> None:
    if total:
        blocks = sum(blocks_of(item.stat) for item in items)
        p.out(f"total {human(blocks * 1024) if 'h' in options else blocks}\n")
    if options.any("lnog"):
        p.out("".join(f"{line}\n" for line in long_list(p, items, options)))
        return
    prefixes = [front(item, options) for item in items]
    widths = [max((len(text[i]) for text in prefixes), default=0) for i in range(2)]
    cells = [
        "".join(f"{text[i]:>{widths[i]}} " for i in range(2) if text[i]) + shown(item.name, p) + mark(item, options)
        for item, text in zip(items, prefixes, strict=True)
    ]
    if "m" in options:
        p.out(", ".join(cells) + "\n" if cells else "")
    elif options.last("1Cx", "C" if p.stdout.is_tty else "1") == "1":
        p.out("".join(f"{cell}\n" for cell in cells))
    else:
        width = int(options.text("w", str(p.size[0]))) or 10_000
        p.out("".join(f"{line}\n" for line in columns(cells, width)))


def front(item: Item, options: Options) -> tuple[str, str]:
    inode = str(item.stat.inode) if "i" in options else ""
    size = str(blocks_of(item.stat)) if "s" in options else ""
    return inode, size


def columns(cells: list[str], width: int) -> list[str]:
    """As many columns as fit, filled downwards, two blanks between them."""
    for rows in range(1, len(cells) + 1):
        count = math.ceil(len(cells) / rows)
        widths = [max(len(cell) for cell in cells[i * rows : (i + 1) * rows]) + 2 for i in range(count)]
        if sum(widths) - 2 < width or rows == len(cells):
            lines = []
            for row in range(rows):
                line = [cells[i * rows + row] for i in range(count) if i * rows + row < len(cells)]
                lines.append("".join(f"{cell:<{widths[i]}}" for i, cell in enumerate(line[:-1])) + line[-1])
            return lines
    return []


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
        cells += [f"{row[6]:>{widths[6]}}", when(p, item.stat, options), shown(item.name, p)]
        link = f" -> {item.stat.target}" if modes.S_ISLNK(item.stat.mode) and item.stat.target else ""
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


COMMANDS = {"ls": ls, "dir": ls, "vdir": ls}
