"""diff and cmp."""

from __future__ import annotations

import difflib
import re
import stat as modes
from typing import TYPE_CHECKING

from .inputs import bare, of_shell, whole
from .options import Options, complain, parse, refuse
from .times import local
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


async def diff(p: Process) -> int:
    options = parse(
        p,
        "abBcC:dEiNqrsStTuU:wW:yZ",
        "brief:q recursive:r report-identical-files:s unified=?:U context=?:C side-by-side:y new-file:N ignore-case:i "
        "ignore-all-space:w ignore-space-change:b ignore-blank-lines:B width=:W suppress-common-lines:- text:a color=? "
        "speed-large-files expand-tabs:t minimal:d normal",
        status=2,
    )
    names = options.operands
    if len(names) != 2:
        raise refuse(p, f"missing operand after '{names[-1] if names else p.args[0].rsplit('/', 1)[-1]}'" if len(names) < 2 else f"extra operand '{names[2]}'", 2)
    return await compared(p, names[0], names[1], options, top=True)


async def compared(p: Process, one: str, other: str, options: Options, top: bool = False) -> int:
    kinds = []
    for name in (one, other):
        try:
            kinds.append(name != "-" and of_shell(p, p.path(name)) is None and modes.S_ISDIR(p.fs.stat(p.path(name)).mode))
        except OSError as error:
            complain(p, f"{name}: {strerror(error)}")
            kinds.append(None)
    if None in kinds:
        return 2
    if all(kinds):
        return await folders(p, one, other, options)
    if any(kinds):
        folder, file = (one, other) if kinds[0] else (other, one)
        inner = f"{folder.rstrip('/')}/{file.rsplit('/', 1)[-1]}"
        return await compared(p, *((inner, file) if kinds[0] else (file, inner)), options)
    left, right = await whole(p, one), await whole(p, other)
    if left == right:
        if "s" in options:
            p.out(f"Files {one} and {other} are identical\n")
        if "y" not in options or "-" in options:
            return 0
    if b"\0" in left[:4096] + right[:4096] and "a" not in options:
        p.out(f"Binary files {one} and {other} differ\n")
        return 2
    if "q" in options:
        p.out(f"Files {one} and {other} differ\n")
        return 1
    texts = [[line.decode("utf-8", "surrogateescape") for line in bare(data)] for data in (left, right)]
    keys = [[key(line, options) for line in lines] for lines in texts]
    steps = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    if all(step[0] == "equal" for step in steps) and "y" not in options:
        return 0
    if "r" in options and not top:
        p.out(f"diff {' '.join(word for word in p.args[1:] if word.startswith('-'))} {one} {other}\n")
    if "y" in options:
        side_by_side(p, texts[0], texts[1], steps, options)
        return int(any(step[0] != "equal" for step in steps))
    if options.any("uU"):
        heads = []
        for name in (one, other):
            then = local(p, p.fs.stat(p.path(name)).mtime if name != "-" else p.host.now())
            heads.append(f"{name}\t{then:%Y-%m-%d %H:%M:%S}.{then.microsecond:06d}000 {then:%z}")
        for line in difflib.unified_diff(texts[0], texts[1], heads[0], heads[1], n=int(options.text("U") or 3), lineterm=""):
            p.out(line + "\n")
        return 1
    for kind, a, b, c, d in steps:
        if kind == "equal":
            continue
        old, new = span(a, b), span(c, d)
        p.out(f"{old}{ {'replace': 'c', 'delete': 'd', 'insert': 'a'}[kind]}{new}\n")
        p.out("".join(f"< {line}\n" for line in texts[0][a:b]) + ("---\n" if kind == "replace" else "") + "".join(f"> {line}\n" for line in texts[1][c:d]))
    return 1


def span(first: int, end: int) -> str:
    return str(first) if first == end else str(end) if end - first == 1 else f"{first + 1},{end}"


def key(line: str, options: Options) -> str:
    if "w" in options:
        line = re.sub(r"\s+", "", line)
    elif "b" in options:
        line = re.sub(r"\s+", " ", line.rstrip())
    return line.lower() if "i" in options else line


def side_by_side(p: Process, left: list[str], right: list[str], steps: list[tuple[str, int, int, int, int]], options: Options) -> None:
    """Two columns of a width of 130, filled with tabs as diff does."""
    total = int(options.text("W", "130"))
    half = (total // 2 - 2) // 8 * 8 + 8 - 8
    column = ((total + 8) // 2 // 8) * 8
    half = min(column - 3, total - column)
    for kind, a, b, c, d in steps:
        for index in range(max(b - a, d - c)):
            one = left[a + index] if a + index < b else None
            other = right[c + index] if c + index < d else None
            sign = " " if kind == "equal" else "<" if other is None else ">" if one is None else "|"
            if sign == " " and "-" in options:
                continue
            text = (one or "")[:half]
            row = text
            at = len(text)
            middle = half + 1
            if sign == " ":
                row, at = tabbed(row, at, column)
                row += (other or "")[:half]
                p.out((row.rstrip("\t") if not other else row) + "\n")
                continue
            row, at = tabbed(row, at, middle)
            row += sign
            if other is not None and other != "":
                row, at = tabbed(row, at + 1, column)
                row += other[:half]
            p.out(row + "\n")


def tabbed(row: str, at: int, to: int) -> tuple[str, int]:
    while at < to:
        step = 8 - at % 8
        if at + step <= to:
            row, at = row + "\t", at + step
        else:
            row, at = row + " ", at + 1
    return row, at


async def folders(p: Process, one: str, other: str, options: Options) -> int:
    lists = [{name for name in p.fs.listdir(p.path(folder)) if name not in (".", "..")} for folder in (one, other)]
    status = 0
    for name in sorted(lists[0] | lists[1]):
        if name not in lists[0] or name not in lists[1]:
            p.out(f"Only in {(one if name in lists[0] else other).rstrip('/')}: {name}\n".replace("//", "/"))
            status = 1
            continue
        inner = [f"{folder.rstrip('/')}/{name}" for folder in (one, other)]
        if all(modes.S_ISDIR(p.fs.stat(p.path(path)).mode) for path in inner) and "r" not in options:
            p.out(f"Common subdirectories: {inner[0]} and {inner[1]}\n")
            continue
        status = max(status, await compared(p, inner[0], inner[1], options))
    return status


async def cmp(p: Process) -> int:
    options = parse(p, "bi:ln:s", "silent:s quiet:s verbose:l print-bytes:b bytes=:n", status=2)
    if not options.operands:
        raise refuse(p, f"missing operand after '{p.args[0].rsplit('/', 1)[-1]}'", 2)
    names = [*options.operands, "-"][:2]
    held = []
    for name in names:
        try:
            held.append(await whole(p, name))
        except OSError as error:
            if "s" not in options:
                complain(p, f"{name}: {strerror(error)}")
            return 2
    left, right = held
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            if "s" not in options:
                p.out(f"{names[0]} {names[1]} differ: byte {at + 1}, line {left[:at].count(10) + 1}\n")
            return 1
    if len(left) != len(right):
        shorter = names[0] if len(left) < len(right) else names[1]
        size = min(len(left), len(right))
        if "s" not in options:
            complain(p, f"EOF on {shorter} after byte {size}, line {left[:size].count(10)}" if size else f"EOF on {shorter} which is empty")
        return 1
    return 0


COMMANDS = {"diff": diff, "cmp": cmp}
