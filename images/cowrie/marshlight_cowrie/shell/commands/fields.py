"""Columns and characters: cut tr paste comm fold expand unexpand column."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from .inputs import Inputs, bare, split, whole
from .options import Options, complain, parse, refuse
from .wording import if_needed, strerror

if TYPE_CHECKING:
    from ..ports import Process

CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
    "space": "\t-\r ", "blank": "\t ", "cntrl": "\0-\x1f\x7f", "punct": "!-/:-@[-`{-~", "print": " -~", "graph": "!-~",
}  # fmt: skip
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def ranges(p: Process, text: str, what: str) -> list[tuple[int, int]]:
    found = []
    for part in text.replace(" ", ",").split(","):
        first, dash, last = part.partition("-")
        if not re.fullmatch(r"\d+|\d*-\d*", part) or part == "-":
            raise refuse(p, f"invalid {what}{' range' if dash else ' value'} ‘{part}’")
        low = int(first or 1)
        high = int(last or 10**9) if dash else low
        if low == 0:
            raise refuse(p, "fields are numbered from 1" if what == "field" else "byte/character positions are numbered from 1")
        if high < low:
            raise refuse(p, "invalid decreasing range")
        found.append((low, high))
    return found


async def cut(p: Process) -> int:
    options = parse(
        p,
        "b:c:d:f:nsz",
        "bytes=:b characters=:c delimiter=:d fields=:f only-delimited:s output-delimiter=:o complement zero-terminated:z",
    )
    kind = options.last("bcf")
    if not kind:
        raise refuse(p, "you must specify a list of bytes, characters, or fields")
    if options.value("d") is not None and kind != "f":
        raise refuse(p, "an input delimiter may be specified only when operating on fields")
    if len(options.text("d")) > 1:
        raise refuse(p, "the delimiter must be a single character")
    wanted = ranges(p, options.text(kind), "field" if kind == "f" else "byte/character position")
    delimiter = (options.text("d", "\t") or "\0").encode()
    between = options.value("o")
    joint = between.encode() if between is not None else delimiter if kind == "f" else b""
    invert = "complement" in options

    def taken(index: int) -> bool:
        return any(low <= index <= high for low, high in wanted) != invert

    inputs = Inputs(p, options.operands)
    async for raw in inputs.lines():
        line = raw.rstrip(b"\n")
        if kind == "f":
            if delimiter not in line:
                if "s" not in options:
                    p.stdout.write(line + b"\n")
                continue
            parts = line.split(delimiter)
            p.stdout.write(joint.join(part for index, part in enumerate(parts, 1) if taken(index)) + b"\n")
        else:
            p.stdout.write(joint.join(bytes([c]) for index, c in enumerate(line, 1) if taken(index)) + b"\n")
    return inputs.status


def characters(p: Process, text: str) -> tuple[list[str], bool]:
    """The set that a word of tr names; and whether its last part is a class or repetition."""
    made: list[str] = []
    at = 0
    fills = False

    def one() -> str:
        nonlocal at
        if text[at] == "\\" and at + 1 < len(text):
            octal = re.match(r"[0-7]{1,3}", text[at + 1 :])
            if octal:
                at += 1 + octal.end()
                return chr(int(octal[0], 8) & 255)
            at += 2
            return ESCAPES.get(text[at - 1], text[at - 1])
        at += 1
        return text[at - 1]

    while at < len(text):
        named = re.match(r"\[:(\w+):\]", text[at:])
        repeat = re.match(r"\[(.)\*(\d*)\]", text[at:])
        if named:
            if named[1] not in CLASSES:
                raise refuse(p, f"invalid character class ‘{named[1]}’", hint=False)
            made += characters(p, CLASSES[named[1]].replace("\\", "\\\\"))[0]
            at += named.end()
            continue
        if repeat:
            made += [repeat[1]] * int(repeat[2] or 1)
            fills = not repeat[2]
            at += repeat.end()
            continue
        first = one()
        if at + 1 < len(text) and text[at] == "-":
            at += 1
            last = one()
            if last < first:
                raise refuse(p, f"range-endpoints of '{first}-{last}' are in reverse collating sequence order", hint=False)
            made += [chr(code) for code in range(ord(first), ord(last) + 1)]
        else:
            made.append(first)
    return made, fills


async def tr(p: Process) -> int:
    options = parse(p, "cCdst", "complement:c delete:d squeeze-repeats:s truncate-set1:t", permute=False)
    sets = options.operands
    both = "d" in options and "s" in options
    need = 1 if options.any("ds") and not both else 2
    if not sets:
        raise refuse(p, "missing operand")
    if len(sets) < need:
        why = "Two strings must be given when translating.\n" if not both else "Two strings must be given when both deleting and squeezing repeats.\n"
        usage = refuse(p, f"missing operand after ‘{sets[-1]}’")
        usage.text = usage.text.replace("\nTry", f"\n{why}Try", 1)
        raise usage
    if "d" in options and not both and len(sets) > 1 or len(sets) > 2:
        usage = refuse(p, f"extra operand ‘{sets[-1]}’")
        if len(sets) == 2:
            usage.text = usage.text.replace("\nTry", "\nOnly one string may be given when deleting without squeezing repeats.\nTry")
        raise usage
    first = [ord(c) & 255 for c in characters(p, sets[0].encode("utf-8", "surrogateescape").decode("latin1"))[0]]
    second = [ord(c) & 255 for c in characters(p, sets[1].encode("utf-8", "surrogateescape").decode("latin1"))[0]] if len(sets) > 1 else []
    if options.any("cC"):
        first = [code for code in range(256) if code not in set(first)]
    table = bytearray(range(256))
    delete = bytes(first) if "d" in options else b""
    if "d" not in options and second:
        filled = second if "t" in options else second + [second[-1]] * (len(first) - len(second))
        for source, target in zip(first, filled, strict=False):
            table[source] = target
    squeeze = set(second or first) if "s" in options else set()
    last = -1
    while piece := await p.stdin.read(65536):
        made = piece.translate(bytes(table), delete)
        if squeeze:
            kept = bytearray()
            for byte in made:
                if byte != last or byte not in squeeze:
                    kept.append(byte)
                last = byte
            made = bytes(kept)
        p.stdout.write(made)
        await p.stdout.drain()
    return 0


async def paste(p: Process) -> int:
    options = parse(p, "d:sz", "delimiters=:d serial:s")
    text = options.value("d", "\t") or "\0"
    marks = [part for part in re.findall(r"\\.|.", text, re.S)]
    delimiters = [("" if mark == "\\0" else ESCAPES.get(mark[1:], mark[-1]) if mark[0] == "\\" else mark) for mark in marks]
    columns: list[list[bytes]] = []
    shared: list[bytes] | None = None
    names = options.operands or ["-"]
    for name in names:
        try:
            if name == "-":
                if shared is None:
                    shared = bare(await whole(p, "-"))
                columns.append(shared)
            else:
                columns.append(bare(await whole(p, name)))
        except OSError as error:
            complain(p, f"{if_needed(name)}: {strerror(error)}")
            return 1
    if "s" in options:
        for lines in columns:
            made = b"".join(
                line + (delimiters[i % len(delimiters)].encode() if i + 1 < len(lines) else b"") for i, line in enumerate(lines)
            )
            p.stdout.write(made + b"\n")
        return 0
    feeds = [iter(lines) for lines in columns]
    if shared is not None:
        one = iter(shared)
        feeds = [one if name == "-" else feed for name, feed in zip(names, feeds, strict=True)]
    while True:
        row = [next(feed, None) for feed in feeds]
        if all(cell is None for cell in row):
            return 0
        cells = [cell or b"" for cell in row]
        made = b"".join(
            cell + (delimiters[i % len(delimiters)].encode() if i + 1 < len(cells) else b"") for i, cell in enumerate(cells)
        )
        p.stdout.write(made + b"\n")


async def comm(p: Process) -> int:
    options = parse(p, "123z", "check-order nocheck-order output-delimiter=:o total")
    if len(options.operands) < 2:
        raise refuse(p, f"missing operand after ‘{options.operands[0]}’" if options.operands else "missing operand")
    if len(options.operands) > 2:
        raise refuse(p, f"extra operand ‘{options.operands[2]}’")
    sides = []
    for name in options.operands:
        try:
            sides.append(bare(await whole(p, name)))
        except OSError as error:
            complain(p, f"{if_needed(name)}: {strerror(error)}")
            return 1
    left, right = sides
    tab = options.text("o", "\t").encode()
    i = j = 0
    disordered = [lines != sorted(lines) for lines in sides]
    while i < len(left) or j < len(right):
        if j >= len(right) or i < len(left) and left[i] < right[j]:
            column, line, i = 1, left[i], i + 1
        elif i >= len(left) or right[j] < left[i]:
            column, line, j = 2, right[j], j + 1
        else:
            column, line, i, j = 3, left[i], i + 1, j + 1
        if str(column) not in options:
            p.stdout.write(tab * sum(str(c) not in options for c in range(1, column)) + line + b"\n")
    for number, wrong in enumerate(disordered, 1):
        if wrong and "nocheck-order" not in options:
            complain(p, f"file {number} is not in sorted order")
    if any(disordered) and "nocheck-order" not in options:
        complain(p, "input is not in sorted order")
        return 1
    return 0


async def fold(p: Process) -> int:
    args = [word if not (word[:1] == "-" and word[1:].isdigit()) else f"-w{word[1:]}" for word in p.args[1:]]
    options = parse(p, "bsw:", "bytes:b spaces:s width=:w", args=args)
    width = int(options.text("w", "80"))
    inputs = Inputs(p, options.operands)
    async for raw in inputs.lines():
        end = b"\n" if raw.endswith(b"\n") else b""
        line = raw.rstrip(b"\n")
        while len(line) > width:
            cut_at = line.rfind(b" ", 0, width) + 1 if "s" in options else 0
            cut_at = cut_at or width
            p.stdout.write(line[:cut_at] + b"\n")
            line = line[cut_at:]
        p.stdout.write(line + end)
    return inputs.status


async def expand(p: Process) -> int:
    options = parse(p, "it:", "initial:i tabs=:t")
    inputs = Inputs(p, options.operands)
    async for line in inputs.lines():
        p.stdout.write(line.expandtabs(int(options.text("t", "8"))))
    return inputs.status


async def unexpand(p: Process) -> int:
    options = parse(p, "at:", "all:a tabs=:t first-only")
    size = int(options.text("t", "8"))
    inputs = Inputs(p, options.operands)
    async for line in inputs.lines():
        blanks = len(line) - len(line.lstrip(b" "))
        p.stdout.write(b"\t" * (blanks // size) + b" " * (blanks % size) + line[blanks:])
    return inputs.status


async def column(p: Process) -> int:
    options = parse(p, "c:o:s:tx", "table:t separator=:s output-separator=:o output-width=:c")
    inputs = Inputs(p, options.operands)
    lines = [line.decode("utf-8", "surrogateescape") for line in bare(await inputs.all()) if line.strip()]
    if "t" in options:
        rows = [line.split(options.value("s")) for line in lines]
        widths = [max(len(cell) for cell in cells) for cells in itertools.zip_longest(*rows, fillvalue="")]
        between = options.text("o", "  ")
        for row in rows:
            cells = [f"{cell:<{widths[i]}}" for i, cell in enumerate(row[:-1])] + [row[-1]]
            p.out(between.join(cells) + "\n")
        return inputs.status
    if lines:
        width = (max(len(line) for line in lines) // 8 + 1) * 8
        count = max(1, int(options.text("c", str(p.size[0]))) // width)
        height = -(-len(lines) // count)
        for row in range(height):
            cells = lines[row::height]
            p.out("".join(cell + "\t" * (-(-(width - len(cell)) // 8)) for cell in cells[:-1]) + cells[-1] + "\n")
    return inputs.status


def in_parts(data: bytes, options: Options) -> list[bytes]:
    """What split(1) makes of it, by lines, bytes or number."""
    sizes = {"K": 1024, "k": 1024, "M": 1 << 20, "m": 1 << 20, "G": 1 << 30, "b": 512}

    def amount(text: str) -> int:
        unit = text[-1:] if not text[-1:].isdigit() else ""
        return int(text.removesuffix(unit)) * sizes.get(unit, 1)

    if "b" in options or "C" in options:
        step = amount(options.text("b") or options.text("C"))
        return [data[at : at + step] for at in range(0, len(data), step)]
    if "n" in options:
        count = int(options.text("n").rpartition("/")[2])
        step = len(data) // count
        return [data[i * step : (i + 1) * step if i + 1 < count else len(data)] for i in range(count)]
    lines, step = split(data), int(options.text("l", "1000"))
    return [b"".join(lines[at : at + step]) for at in range(0, len(lines), step)]


async def split_file(p: Process) -> int:
    args = [word if not (word[:1] == "-" and word[1:].isdigit()) else f"-l{word[1:]}" for word in p.args[1:]]
    options = parse(
        p,
        "a:b:C:del:n:t:ux",
        "suffix-length=:a bytes=:b line-bytes=:C numeric-suffixes=?:d elide-empty-files:e lines=:l number=:n filter= verbose "
        "additional-suffix=",
        args=args,
    )
    name, prefix = [*options.operands, "-", "x"][:2] if len(options.operands) != 1 else (options.operands[0], "x")
    try:
        data = await whole(p, name)
    except OSError as error:
        complain(p, f"cannot open '{name}' for reading: {strerror(error)}")
        return 1
    length = int(options.text("a", "2"))
    letters = "0123456789" if "d" in options else "0123456789abcdef" if "x" in options else "abcdefghijklmnopqrstuvwxyz"
    for suffix, part in zip(itertools.product(letters, repeat=length), in_parts(data, options), strict=False):
        target = prefix + "".join(suffix) + options.text("additional-suffix")
        p.fs.write(p.path(target), part, mode=0o666 & ~p.umask)
    return 0


COMMANDS = {
    **{"cut": cut, "tr": tr, "paste": paste, "comm": comm, "fold": fold, "expand": expand},
    **{"unexpand": unexpand, "column": column, "split": split_file},
}
