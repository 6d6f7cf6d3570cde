"""Characters and the width of lines: tr fold expand unexpand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .inputs import Inputs
from .options import parse, refuse

if TYPE_CHECKING:
    from ..ports import Process

CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
    "space": "\t-\r ", "blank": "\t ", "cntrl": "\0-\x1f\x7f", "punct": "!-/:-@[-`{-~", "print": " -~", "graph": "!-~",
}  # fmt: skip
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


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


COMMANDS = {"tr": tr, "fold": fold, "expand": expand, "unexpand": unexpand}
