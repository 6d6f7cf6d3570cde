"""ls, dir, vdir."""

from __future__ import annotations

import math
import re
import stat as modes
from typing import TYPE_CHECKING

from .colours import Colours, has_colours
from .listing_rows import Item, blocks_of, front, human, long_list, mark, painted, shown
from .options import Options, complain, parse, refuse
from .wording import quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process

SHORT = "1aAbBcCdDfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ"
LONG = (
    "all:a almost-all:A author block-size= color=? directory:d classify=?:F file-type full-time human-readable:h si "
    "dereference:L hide= ignore=:I inode:i numeric-uid-gid:n literal:N quote-name:Q reverse:r recursive:R size:s sort= "
    "time= time-style= width=:w help version group-directories-first no-group:G kibibytes:k indicator-style= zero"
)


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
    options.colours = colours_for(p, options)
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
        status = max(status, unread(p, ordered(files, options), options))
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
    status = unread(p, items, options, f"{item.name.rstrip('/')}/")
    show(p, items, options, total=options.any("lnogs"))
    if "R" in options:
        for child in items:
            if modes.S_ISDIR(child.stat.mode) and child.name not in (".", ".."):
                name = f"{item.name.rstrip('/')}/{child.name}" if item.name != "/" else f"/{child.name}"
                status = max(status, walk(p, Item(name, child.path, child.stat), options, True, False))
    return status


def unread(p: Process, items: list[Item], options: Options, above: str = "") -> int:
    """A long list tells where links lead; those of another's process tell nobody but root."""
    status = 0
    for item in items:
        if options.any("lnog") and modes.S_ISLNK(item.stat.mode) and item.stat.target is None:
            try:
                p.fs.readlink(item.path)
            except OSError as error:
                complain(p, f"cannot read symbolic link {quoted(above + item.name)}: {strerror(error)}")
                status = 1
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
        "".join(f"{text[i]:>{widths[i]}} " for i in range(2) if text[i]) + painted(p, item, options) + mark(item, options)
        for item, text in zip(items, prefixes, strict=True)
    ]
    if "m" in options:
        p.out(", ".join(cells) + "\n" if cells else "")
    elif options.last("1Cx", "C" if p.stdout.is_tty else "1") == "1":
        p.out("".join(f"{cell}\n" for cell in cells))
    else:
        width = int(options.text("w", str(p.size[0]))) or 10_000
        p.out("".join(f"{line}\n" for line in columns(cells, width)))


def columns(cells: list[str], width: int) -> list[str]:
    """As many columns as fit, filled downwards, two blanks between them."""
    for rows in range(1, len(cells) + 1):
        count = math.ceil(len(cells) / rows)
        widths = [max(seen(cell) for cell in cells[i * rows : (i + 1) * rows]) + 2 for i in range(count)]
        if sum(widths) - 2 < width or rows == len(cells):
            lines = []
            for row in range(rows):
                line = [cells[i * rows + row] for i in range(count) if i * rows + row < len(cells)]
                lines.append("".join(cell + " " * (widths[i] - seen(cell)) for i, cell in enumerate(line[:-1])) + line[-1])
            return lines
    return []


def seen(cell: str) -> int:
    """How wide a cell is on the screen."""
    return len(re.sub(r"\033\[[\d;]*m", "", cell))


def colours_for(p: Process, options: Options) -> Colours | None:
    wanted = options.value("color")
    if wanted is None or wanted in ("never", "no", "none") or wanted in ("auto", "tty", "if-tty") and not p.stdout.is_tty:
        return None
    if not p.env.get("LS_COLORS") and not has_colours(p):
        return None
    return Colours(p)


COMMANDS = {"ls": ls, "dir": ls, "vdir": ls}
