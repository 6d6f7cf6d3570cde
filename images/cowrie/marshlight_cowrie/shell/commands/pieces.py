"""split: one file into many."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from .inputs import split, whole
from .options import Options, complain, parse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


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


COMMANDS = {"split": split_file}
