"""Counting and comparing as BusyBox shows it: wc diff strings."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from ..commands.inputs import whole
from ..commands.options import parse
from ..commands.wording import strerror
from .gnu import gnu
from .modules import say
from .shared import shared
from .transfers import Heard
from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process


async def wc(p: Process) -> int:
    options = parse(p, "cmlLw")
    wanted = [letter for letter in "lwcmL" if letter in options] or ["l", "w", "c"]
    # One figure alone stands without a width, as long as there is but one file.
    operands = options.operands
    narrow = len(wanted) == 1 and len(operands) < 2
    totals = dict.fromkeys(wanted, 0)
    status = 0

    def row(counts: dict[str, int], name: str) -> None:
        cells = " ".join(str(counts[letter]) if narrow else f"{counts[letter]:9d}" for letter in wanted)
        p.out(cells + (f" {name}" if name else "") + "\n")

    for name in operands or ["-"]:
        try:
            data = await whole(p, name)
        except OSError as error:
            say(p, f"{name}: {strerror(error)}" if error.errno != 21 else "read error: Is a directory")
            status = 1
            continue
        lines = data.split(b"\n")
        longest = max((len(line.expandtabs(8)) for line in lines), default=0)
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data), "m": len(data.decode("utf-8", "replace")), "L": longest}
        totals = {letter: max(totals[letter], counts[letter]) if letter == "L" else totals[letter] + counts[letter] for letter in wanted}
        row(counts, name if operands else "")
    if len(operands) > 1:
        row(totals, "total")
    return status


async def diff(p: Process) -> int:
    """Always unified."""
    options = parse(p, "abBdiL:NqrTstwU:S:u")
    if len(options.operands) != 2:
        raise refusal(p, "diff")
    names = options.operands
    texts = []
    for name in names:
        try:
            texts.append((await whole(p, name)).decode("utf-8", "surrogateescape"))
        except OSError as error:
            say(p, f"can't stat '{name}': {strerror(error)}" if error.errno == 2 else f"{name}: {strerror(error)}")
            return 2
    if texts[0] == texts[1]:
        return 0
    if "q" in options:
        p.out(f"Files {names[0]} and {names[1]} differ\n")
        return 1
    rows = difflib.unified_diff(*(text.splitlines(keepends=True) for text in texts), *names, n=int(options.text("U", "3")))
    for row in rows:
        line = re.sub(r"^((?:---|\+\+\+) [^\n\t]*)\t?\n", r"\1\n", row)
        p.out(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return 1


async def strings(p: Process) -> int:
    options = parse(p, "fon:t:a")
    least = int(options.text("n", "4"))
    status = 0
    for name in options.operands or ["-"]:
        try:
            data = await whole(p, name)
        except OSError as error:
            say(p, f"can't open '{name}': {strerror(error)}")
            status = 1
            continue
        for found in re.finditer(rb"[\t\x20-\x7e]{%d,}" % least, data):
            p.stdout.write(found.group() + b"\n")
    return status




async def hexdump(p: Process) -> int:
    """Words of two bytes; the last line is as wide as the others."""
    words = p.args[1:]
    formats = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "-e"]
    heard = Heard()
    below = p.stdout
    p.stdout = heard  # type: ignore[assignment]
    try:
        status = await gnu("hexdump")(p)
    finally:
        p.stdout = below
    lines = heard.data.decode("utf-8", "surrogateescape").splitlines()
    if formats:
        data = b"".join(bytes.fromhex(cell)[::-1] for line in lines for cell in line.split()[1:])
        p.stdout.write(formed(data[: int(lines[-1], 16) if lines else 0], formats[0]))
        return status
    if not any(word.startswith("-") and set(word) & set("Cbcdox") for word in words):
        lines = [f"{line:<47}" if " " in line else line for line in lines]
    p.out("".join(f"{line}\n" for line in lines))
    return status


def formed(data: bytes, form: str) -> bytes:
    """`16/1 "%02x "`: so many times, of so many bytes each."""
    made = bytearray()
    found = re.findall(r'(?:(\d+)/(\d+)\s*)?"((?:[^"\\]|\\.)*)"', form)
    at = 0
    while at < len(data) and found:
        start = at
        for count, size, text in found:
            text = text.encode().decode("unicode_escape")
            if "%" not in text:
                made += text.encode("latin-1", "replace")
                continue
            for _ in range(int(count or 1)):
                if at >= len(data):
                    break
                value = int.from_bytes(data[at : at + int(size or 1)], "little")
                at += int(size or 1)
                made += (chr(value & 255) if "%c" in text or "%_c" in text else text.replace("%_p", "%c") % value).encode("latin-1", "replace")
        if at == start:
            break
    return bytes(made)


async def cmp(p: Process) -> int:
    heard = Heard()
    below = p.stdout
    p.stdout = heard  # type: ignore[assignment]
    try:
        status = await gnu("cmp")(p)
    finally:
        p.stdout = below
    p.stdout.write(heard.data.replace(b" differ: byte ", b" differ: char "))
    return status


async def grep(p: Process) -> int:
    """A single file is not named, even where folders might have been."""
    flags = [word for word in p.args[1:] if word.startswith("-") and word != "-"]
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if any("r" in flag or "R" in flag for flag in flags if not flag.startswith("--")) and len(names) == 2 and not is_folder(p, names[1]):
        p.args = [p.args[0], "-h", *p.args[1:]]
    if p.args[0] in ("egrep", "fgrep"):
        p.args = ["grep", "-E" if p.args[0] == "egrep" else "-F", *p.args[1:]]
    return await gnu("grep")(p)


def is_folder(p: Process, name: str) -> bool:
    try:
        return p.fs.stat(p.path(name)).mode & 0o170000 == 0o040000
    except OSError:
        return False


async def tail(p: Process) -> int:
    status = await gnu("tail")(p)
    names = [word for word in p.args[1:] if not word.startswith("-") and not word.isdigit()]
    if status and len(names) == 1:
        say(p, "no files")
    return status


async def cal(p: Process) -> int:
    """A month has six weeks here, and no blanks after its last day; but for the weeks that it lacks."""
    heard = Heard()
    below = p.stdout
    p.stdout = heard  # type: ignore[assignment]
    try:
        status = await gnu("cal")(p)
    finally:
        p.stdout = below
    lines = [line.rstrip() for line in heard.data.decode().splitlines()]
    if len(lines) < 9 and len(p.args) != 2:
        lines += [" " * 21] * (8 - len(lines))
    p.out("".join(f"{line}\n" for line in lines))
    return status


COMMANDS = {"cal": shared("cal", cal), "wc": wc, "diff": diff, "strings": strings, "hexdump": hexdump, "cmp": shared("cmp", cmp)}
COMMANDS |= {name: shared(name, grep) for name in ("grep", "egrep", "fgrep")}
COMMANDS["tail"] = shared("tail", tail)
