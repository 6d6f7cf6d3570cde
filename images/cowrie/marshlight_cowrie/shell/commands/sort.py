"""sort."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from .inputs import Inputs, bare, whole
from .options import complain, parse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

NUMBER = re.compile(rb"[ \t]*(-?\d*(?:\.\d*)?)")
GENERAL = re.compile(rb"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
KEY = re.compile(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?$")
SUFFIX = b"\0KMGTPEZY"


class Key:
    def __init__(self, text: str, defaults: str) -> None:
        found = KEY.match(text)
        if not found:
            raise ValueError(text)
        first, first_char, flags, last, last_char, more = found.groups()
        self.first, self.first_char = int(first) - 1, int(first_char or 1) - 1
        self.last, self.last_char = int(last) if last else None, int(last_char or 0)
        self.flags = flags + (more or "") or defaults

    def of(self, line: bytes, separator: bytes | None) -> bytes:
        fields = line.split(separator) if separator is not None else re.findall(rb"[ \t]*[^ \t]+|[ \t]+$", line)
        join = separator or b""
        if self.last is None:
            part = fields[self.first :]
        else:
            part = fields[self.first : self.last]
            if self.last_char and part and self.last > self.first:
                part = [*part[:-1], part[-1][: self.last_char]]
        text = join.join(part)
        return text[self.first_char :]


def compared(text: bytes, flags: str) -> Any:
    if "b" in flags:
        text = text.lstrip(b" \t")
    if "g" in flags:
        found = GENERAL.match(text)
        return (1, float(found[1])) if found else (0, 0.0)
    if "n" in flags or "h" in flags:
        found = NUMBER.match(text)
        digits = found[1] if found else b""
        value = float(digits) if digits not in (b"", b"-", b".", b"-.") else 0.0
        if "h" in flags and found:
            unit = text[found.end() : found.end() + 1].upper()
            return (SUFFIX.find(unit) if unit and value else 0) * (1 if value >= 0 else -1), value
        return value
    if "V" in flags:
        return [(1, int(part), b"") if part.isdigit() else (0, 0, part) for part in re.findall(rb"\d+|\D+", text)]
    if "M" in flags:
        return b"JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC".find(text.strip()[:3].upper())
    if "d" in flags:
        text = re.sub(rb"[^A-Za-z0-9\s]", b"", text)
    return text.upper() if "f" in flags else text


OLD_KEY = r"(\d+)(?:\.(\d+))?([bdfghiMnRrV]*)"


def without_old_keys(args: list[str]) -> list[str]:
    """`+1 -2` counts fields from zero and ends before the second, `-k2,2` from one and ends with it."""
    made, left = [], list(args)
    while left:
        word = left.pop(0)
        first = re.fullmatch(rf"\+{OLD_KEY}", word)
        if first is None:
            made.append(word)
            continue
        key = f"{int(first[1]) + 1}{f'.{int(first[2]) + 1}' if first[2] else ''}{first[3]}"
        last = re.fullmatch(rf"-{OLD_KEY}", left[0]) if left else None
        if last is not None:
            left.pop(0)
            inside = f"{int(last[1]) + 1}.{last[2]}" if last[2] and int(last[2]) else last[1]
            key += f",{inside}{last[3]}"
        made += ["-k", key]
    return made


async def sort(p: Process) -> int:
    options = parse(
        p,
        "bcCdfghik:mMno:rRsS:t:T:uVz",
        "ignore-leading-blanks:b check=?:c dictionary-order:d ignore-case:f general-numeric-sort:g "
        "human-numeric-sort:h key=:k merge:m month-sort:M numeric-sort:n output=:o reverse:r random-sort:R stable:s "
        "field-separator=:t unique:u version-sort:V zero-terminated:z parallel= buffer-size=:S",
        status=2,
        args=without_old_keys(p.args[1:]),
    )
    flags = "".join(letter for letter in "bdfghMnRV" if letter in options)
    separator = options.value("t")
    if separator == "\\0":
        separator = "\0"
    if separator is not None and len(separator) != 1:
        complain(p, f"multi-character tab ‘{separator}’" if separator else "empty tab")
        return 2
    try:
        keys = [Key(text, flags) for text in options.values("k")]
    except ValueError as error:
        complain(p, f"invalid number at field start: invalid count at start of ‘{error}’")
        return 2
    held = bytearray()
    for name in options.operands or ["-"]:
        one = Inputs(p, [name])
        try:
            async for _, data in quietly(one):
                held += data
                if data and not data.endswith(b"\n"):
                    held += b"\n"
        except OSError as error:
            verb = "read failed" if isinstance(error, IsADirectoryError) else "cannot read"
            complain(p, f"{verb}: {name}: {strerror(error)}")
            return 2
    end = b"\0" if "z" in options else b"\n"
    lines = bytes(held).split(end) if "z" in options else bare(bytes(held))

    def rank(line: bytes) -> Any:
        if not keys:
            return compared(line, flags)
        return [compared(key.of(line, separator.encode() if separator else None), key.flags) for key in keys]

    if options.any("cC"):
        for number, (before, after) in enumerate(zip(lines, lines[1:], strict=False), 2):
            wrong = rank(after) < rank(before) or "u" in options and rank(after) == rank(before)
            if wrong:
                if "c" in options:
                    name = (options.operands or ["-"])[0]
                    complain(p, f"{name}:{number}: disorder: {after.decode('utf-8', 'replace')}")
                return 1
        return 0
    if "R" in options:
        random.shuffle(lines)
    else:
        if not options.any("su"):
            lines.sort(reverse="r" in options)
        backwards = "r" in options and not any("r" in key.flags for key in keys)
        if keys and any("r" in key.flags for key in keys):
            for key in reversed(keys):
                one_sep = separator.encode() if separator else None
                lines.sort(key=lambda line, key=key: compared(key.of(line, one_sep), key.flags), reverse="r" in key.flags)  # type: ignore[misc]
        else:
            lines.sort(key=rank, reverse=backwards)
    if "u" in options:
        kept: list[bytes] = []
        for line in lines:
            if not kept or rank(kept[-1]) != rank(line):
                kept.append(line)
        lines = kept
    made = b"".join(line + end for line in lines)
    target = options.value("o")
    if target:
        p.fs.write(p.path(target), made, mode=0o666 & ~p.umask)
    else:
        p.stdout.write(made)
    return 0


async def quietly(inputs: Inputs) -> Any:
    for name in inputs.names:
        yield name, await whole(inputs.p, name)


COMMANDS = {"sort": sort}
