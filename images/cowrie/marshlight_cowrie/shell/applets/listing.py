"""ls: one name a line or in columns, long lines of fixed widths."""

from __future__ import annotations

import stat as modes
from typing import TYPE_CHECKING

from ..commands.listing import Item
from ..commands.listing_rows import device_numbers
from ..commands.names import group_name, user_name
from ..commands.options import Options, parse
from ..commands.times import local
from ..commands.wording import strerror
from .figures import human

if TYPE_CHECKING:
    from ..ports import Process, Stat

SHORT = "1AaCxdLHRFplinshrSXvctuQUfgGoNkqw:T:I:"
LONG = "color=? full-time group-directories-first"
HALF_YEAR = 15778476


async def ls(p: Process) -> int:
    options = parse(p, SHORT, LONG)
    status = 0
    files: list[Item] = []
    folders: list[Item] = []
    follow = not options.any("ldFi") or options.any("LH")
    for name in options.operands or ["."]:
        try:
            try:
                stat = p.fs.stat(p.path(name), follow=follow)
            except FileNotFoundError:
                stat = p.fs.stat(p.path(name), follow=False)
        except OSError as error:
            p.stderr.write(f"ls: {name}: {strerror(error)}\n".encode("utf-8", "surrogateescape"))
            status = 1
            continue
        (folders if modes.S_ISDIR(stat.mode) and "d" not in options else files).append(Item(name, p.path(name), stat))
    if files:
        show(p, ordered(files, options), options)
    several = len(options.operands) > 1 or "R" in options
    first = not files
    for folder in ordered(folders, options):
        status = max(status, walk(p, folder, options, several, first))
        first = False
    return status


def walk(p: Process, folder: Item, options: Options, heading: bool, first: bool) -> int:
    try:
        names = p.fs.listdir(folder.path)
    except OSError as error:
        p.stderr.write(f"ls: can't open '{folder.name}': {strerror(error)}\n".encode("utf-8", "surrogateescape"))
        return 1
    if heading:
        p.out(("" if first else "\n") + f"{folder.name}:\n")
    found = [name for name in names if name not in (".", "..") and (options.any("aA") or not name.startswith("."))]
    if "a" in options:
        found += [".", ".."]
    items = []
    for name in found:
        path = f"{folder.path.rstrip('/')}/{name}"
        try:
            items.append(Item(name, path, p.fs.stat(path, follow="L" in options)))
        except OSError:
            continue
    items = ordered(items, options)
    if options.any("lsn"):
        p.out(f"total {sum(blocks(item.stat) for item in items)}\n")
    show(p, items, options)
    status = 0
    for child in items if "R" in options else ():
        if modes.S_ISDIR(child.stat.mode) and child.name not in (".", ".."):
            name = f"{folder.name.rstrip('/')}/{child.name}"
            status = max(status, walk(p, Item(name, child.path, child.stat), options, True, False))
    return status


def ordered(items: list[Item], options: Options) -> list[Item]:
    items = sorted(items, key=lambda item: item.name.encode("utf-8", "surrogateescape"))
    sort = options.last("tSXv")
    if sort == "t":
        items.sort(key=lambda item: -item.stat.mtime)
    elif sort == "S":
        items.sort(key=lambda item: -item.stat.size)
    elif sort == "X":
        items.sort(key=lambda item: item.name.rpartition(".")[2] if "." in item.name else "")
    if "group-directories-first" in options:
        items.sort(key=lambda item: not modes.S_ISDIR(item.stat.mode))
    return items[::-1] if "r" in options else items


def show(p: Process, items: list[Item], options: Options) -> None:
    if "l" in options or "n" in options:
        p.out("".join(long(p, item, options) for item in items))
        return
    cells = [lead(item, options) + coloured(p, item, options) + mark(item, options) for item in items]
    if "1" in options or not (p.stdout.is_tty or options.any("Cx")):
        p.out("".join(f"{cell}\n" for cell in cells))
        return
    widths = [len(lead(item, options) + item.name + mark(item, options)) for item in items]
    p.out(columns(cells, widths, int(options.text("w") or p.size[0]), across="x" in options))


def columns(cells: list[str], widths: list[int], width: int, *, across: bool) -> str:
    """As many columns as the longest name allows, two blanks between."""
    column = max(widths, default=0) + 2
    count = max(1, width // column)
    rows = -(-len(cells) // count)
    made = []
    for row in range(rows):
        line, at = "", 0
        for number in range(count):
            index = row * count + number if across else number * rows + row
            if index < len(cells):
                line += " " * (number * column - at) + cells[index]
                at = number * column + widths[index]
        made.append(f"{line}\n")
    return "".join(made)


def lead(item: Item, options: Options) -> str:
    inode = f"{item.stat.inode:7d} " if "i" in options else ""
    return inode + (f"{blocks(item.stat):6d} " if "s" in options else "")


def long(p: Process, item: Item, options: Options) -> str:
    stat = item.stat
    numeric = "n" in options
    owner = str(stat.uid) if numeric else user_name(p.fs, stat.uid)[:8]
    group = str(stat.gid) if numeric else group_name(p.fs, stat.gid)[:8]
    if modes.S_ISCHR(stat.mode) or modes.S_ISBLK(stat.mode):
        size = device(item)
    elif "h" in options:
        size = f"{human(stat.size):>7}"
    else:
        size = f"{stat.size:9d}"
    arrow = ""
    if modes.S_ISLNK(stat.mode):
        try:
            arrow = f" -> {p.fs.readlink(item.path)}"
        except OSError:
            pass
    name = coloured(p, item, options)
    return f"{lead(item, options)}{modes.filemode(stat.mode):<10} {stat.links:4d} {owner:<8} {group:<8} {size} {date(p, stat, options)} {name}{arrow}{mark(item, options)}\n"


def device(item: Item) -> str:
    major, _, minor = device_numbers(item.path).partition(",")
    return f"{major.strip():>4}, {minor.strip():>3}"


def date(p: Process, stat: Stat, options: Options) -> str:
    moment = local(p, stat.ctime if "c" in options else stat.mtime)
    if "full-time" in options:
        return moment.strftime("%Y-%m-%d %H:%M:%S %z")
    recent = p.host.now() - stat.mtime < HALF_YEAR and stat.mtime <= p.host.now()
    return f"{moment:%b} {moment.day:2d} " + (f"{moment:%H:%M}" if recent else f"{moment.year:5d}")


def mark(item: Item, options: Options) -> str:
    mode = item.stat.mode
    if modes.S_ISDIR(mode):
        return "/" if options.any("Fp") else ""
    if "F" not in options:
        return ""
    if modes.S_ISREG(mode):
        return "*" if mode & 0o111 else ""
    return "@" if modes.S_ISLNK(mode) else "|" if modes.S_ISFIFO(mode) else "=" if modes.S_ISSOCK(mode) else ""


def coloured(p: Process, item: Item, options: Options) -> str:
    """On a terminal each name has its colour: bold for all but plain files."""
    when = options.value("color")
    if when == "never" or when in (None, "auto", "tty") and not p.stdout.is_tty:
        return item.name
    mode = item.stat.mode
    kinds = ((modes.S_ISDIR, 34), (modes.S_ISLNK, 36), (modes.S_ISCHR, 35), (modes.S_ISBLK, 35), (modes.S_ISFIFO, 33), (modes.S_ISSOCK, 35))
    colour = next((number for test, number in kinds if test(mode)), 32 if modes.S_ISREG(mode) and mode & 0o111 else 0)
    return f"\x1b[{int(colour != 0)};{colour}m{item.name}\x1b[m"


def blocks(stat: Stat) -> int:
    """Of 1 kB; a file takes whole pages, a link its inode."""
    if modes.S_ISREG(stat.mode) or modes.S_ISDIR(stat.mode):
        return -(-stat.size // 4096) * 4
    return 0


COMMANDS = {"ls": ls}
