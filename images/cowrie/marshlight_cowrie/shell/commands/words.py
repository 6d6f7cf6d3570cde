"""Words out of nothing: echo printf seq yes factor; true, false, test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .options import complain, refuse

if TYPE_CHECKING:
    from ..ports import Process


async def echo(p: Process) -> int:
    p.out(" ".join(p.args[1:]) + "\n" if p.args[1:2] != ["-n"] else " ".join(p.args[2:]))
    return 0


async def true(p: Process) -> int:
    return 0


async def false(p: Process) -> int:
    return 1


async def builtin(p: Process) -> int:
    """printf, test and [ stand as files too; the shell's own do the work."""
    return await p.spawn(["bash", "-c", '"$@"', "bash", p.args[0].rsplit("/", 1)[-1], *p.args[1:]])


async def seq(p: Process) -> int:
    args = list(p.args[1:])
    form = separator = None
    width = False
    while args and re.match(r"-(?![\d.]|$)", args[0]):
        word = args.pop(0)
        if word == "-w" or word == "--equal-width":
            width = True
        elif word.startswith(("-s", "--separator=")):
            separator = word.partition("=")[2] if word[1] == "-" else word[2:] or (args.pop(0) if args else "")
        elif word.startswith(("-f", "--format=")):
            form = word.partition("=")[2] if word[1] == "-" else word[2:] or (args.pop(0) if args else "")
        else:
            raise refuse(p, f"invalid option -- '{word[1]}'")
    if not args:
        raise refuse(p, "missing operand")
    if len(args) > 3:
        raise refuse(p, f"extra operand ‘{args[3]}’")
    for word in args:
        if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word):
            raise refuse(p, f"invalid floating point argument: ‘{word}’")
    first, step, last = (["1", "1", *args], [args[0], "1", args[-1]], args)[len(args) - 1][:3]
    places = max(len(text.partition(".")[2]) for text in (first, step))
    low, by, high = float(first), float(step), float(last)
    if by == 0:
        raise refuse(p, f"invalid Zero increment value: ‘{step}’")
    between = "\n" if separator is None else separator
    most = min(int((high - low) / by + 1e-9) + 1, 2_000_000)
    pad = max(len(f"{low:.{places}f}"), len(f"{high:.{places}f}"))
    batch: list[str] = []
    started = False
    for index in range(max(0, most)):
        value = low + index * by
        text = form % value if form else f"{value:0{pad if width else 0}.{places}f}"
        batch.append(text)
        if len(batch) == 4096:
            p.out((between if started else "") + between.join(batch))
            started, batch = True, []
            await p.stdout.drain()
    if batch:
        p.out((between if started else "") + between.join(batch))
        started = True
    if started:
        p.out("\n")
    return 0


async def yes(p: Process) -> int:
    words = [word for word in p.args[1:]]
    if words[:1] == ["--"]:
        words.pop(0)
    data = (" ".join(words or ["y"]) + "\n").encode("utf-8", "surrogateescape")
    block = data * max(1, 8192 // len(data))
    while True:
        p.stdout.write(block)
        await p.stdout.drain()


async def factor(p: Process) -> int:
    for word in p.args[1:]:
        if not word.isdigit():
            complain(p, f"‘{word}’ is not a valid positive integer")
            return 1
        left, parts, divisor = int(word), [], 2
        while divisor * divisor <= left and divisor < 1_000_000:
            while left % divisor == 0:
                parts.append(divisor)
                left //= divisor
            divisor += 1
        p.out(f"{word}:{''.join(f' {part}' for part in [*parts, *([left] if left > 1 else [])])}\n")
    return 0


COMMANDS = {"echo": echo, "true": true, "false": false, "printf": builtin, "test": builtin, "[": builtin, "seq": seq, "yes": yes, "factor": factor}
