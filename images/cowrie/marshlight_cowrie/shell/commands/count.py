"""wc and uniq."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .inputs import Inputs, bare, whole
from .options import Options, parse
from .wording import trouble

if TYPE_CHECKING:
    from ..ports import Process


async def wc(p: Process) -> int:
    options = parse(p, "clLmw", "bytes:c chars:m lines:l max-line-length:L words:w files0-from= help version")
    if not options.any("clLmw"):
        options.given += [("l", ""), ("w", ""), ("c", "")]
    inputs = Inputs(p, options.operands)
    rows: list[tuple[list[int], str]] = []
    files: dict[str, int] = {}
    for name in inputs.names:
        try:
            data = await whole(p, name)
        except OSError as error:
            trouble(p, name, error)
            inputs.status = 1
            if isinstance(error, IsADirectoryError):
                rows.append(([0] * sum(letter in options for letter in "lwmcL"), name))
            continue
        rows.append((figures(data, options), name if options.operands else ""))
        files[name] = len(data)
    if len(options.operands) > 1:
        sums = [sum(column) for column in zip(*(row for row, _ in rows), strict=True)]
        rows.append((sums or [0] * sum(letter in options for letter in "lwmcL"), "total"))
    alone = len(rows) == 1 and len(rows[0][0]) == 1
    width = 1 if alone else len(str(sum(files.values()))) if options.operands and "-" not in options.operands else 7
    for numbers, name in rows:
        p.out(" ".join(f"{number:{width}d}" for number in numbers) + (f" {name}" if name else "") + "\n")
    return inputs.status


def figures(data: bytes, options: Options) -> list[int]:
    made = {
        "l": data.count(b"\n"),
        "w": len(data.split()),
        "m": len(data.decode("utf-8", "replace")),
        "c": len(data),
        "L": max((len(line.expandtabs()) for line in data.split(b"\n")), default=0),
    }
    return [made[letter] for letter in "lwmcL" if letter in options]


async def uniq(p: Process) -> int:
    args = [word if not (word[:1] == "-" and word[1:].isdigit()) else f"-f{word[1:]}" for word in p.args[1:]]
    options = parse(
        p,
        "cdDf:is:uw:z",
        "count:c repeated:d all-repeated=?:D skip-fields=:f ignore-case:i skip-chars=:s unique:u check-chars=:w "
        "zero-terminated:z",
        args=args,
    )
    inputs = Inputs(p, options.operands[:1])
    fields, chars, width = (int(options.text(letter, "0")) for letter in "fsw")

    def key(line: bytes) -> bytes:
        if fields:
            line = re.sub(rb"^(?:[ \t]*[^ \t]+){0,%d}" % fields, b"", line)
        line = line[chars:]
        line = line[:width] if width else line
        return line.lower() if "i" in options else line

    runs: list[tuple[int, list[bytes]]] = []
    for line in bare(await inputs.all()):
        if runs and key(runs[-1][1][0]) == key(line):
            runs[-1] = (runs[-1][0] + 1, [*runs[-1][1], line] if "D" in options else runs[-1][1])
        else:
            runs.append((1, [line]))
    made = bytearray()
    for count, lines in runs:
        if "u" in options and count > 1 or options.any("dD") and count == 1:
            continue
        for line in lines:
            made += (b"%7d " % count if "c" in options else b"") + line + b"\n"
    if len(options.operands) > 1:
        p.fs.write(p.path(options.operands[1]), bytes(made), mode=0o666 & ~p.umask)
    else:
        p.stdout.write(bytes(made))
    return inputs.status


COMMANDS = {"wc": wc, "uniq": uniq}
