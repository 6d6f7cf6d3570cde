"""Columns: cut paste comm column."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from .characters import ESCAPES
from .inputs import Inputs, bare, whole
from .options import complain, parse, refuse
from .wording import if_needed, strerror

if TYPE_CHECKING:
    from ..ports import Process


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


COMMANDS = {"cut": cut, "paste": paste, "comm": comm, "column": column}
