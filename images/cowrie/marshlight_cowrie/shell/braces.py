"""Brace expansion: `{a,b}` and `{1..9..2}`, before anything else is expanded."""

from __future__ import annotations

import re
from typing import Union

from .nodes import Parameter, Part, Text, Word

#: A sign of the word's own text, or a part that braces do not look into.
Unit = Union[str, Part]
SEQUENCE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?|([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d+))?")
MOST = 100_000


class TooMany(Exception):
    """More words than a session may make."""


def expand_braces(word: Word) -> list[Word]:
    if not word.braces:
        return [word]
    units: list[Unit] = []
    for part in word.parts:
        if isinstance(part, Text) and not part.quoted:
            units.extend(part.text)
        else:
            units.append(part)
    made = expanded(units)
    if len(made) == 1:
        return [word]
    return [Word(parts_of(units), word.source) for units in made]


def parts_of(units: list[Unit]) -> list[Part]:
    parts: list[Part] = []
    for unit in units:
        if not isinstance(unit, str):
            parts.append(unit)
        elif parts and isinstance(parts[-1], Text) and not parts[-1].quoted:
            parts[-1] = Text(parts[-1].text + unit)
        elif re.match(r"\w", unit) and parts and isinstance(parts[-1], Parameter) and not parts[-1].source and parts[-1].name.isidentifier():
            # `$x{1,2}` is `$x1 $x2`: braces come before parameters.
            parts[-1] = Parameter(parts[-1].name + unit, parts[-1].quoted)
        else:
            parts.append(Text(unit))
    return parts


def expanded(units: list[Unit]) -> list[list[Unit]]:
    for start, unit in enumerate(units):
        if unit != "{":
            continue
        end, commas = matching(units, start)
        if end < 0:
            continue
        inner = units[start + 1 : end]
        if commas:
            edges = [start, *commas, end]
            middles = [made for left, right in zip(edges, edges[1:]) for made in expanded(units[left + 1 : right])]
        else:
            counted = sequence(inner)
            if counted is None:
                # Not an expansion itself, but there may be one within.
                continue
            middles = [list(text) for text in counted]
        rest = expanded(units[end + 1 :])
        if len(middles) * len(rest) > MOST:
            raise TooMany
        return [units[:start] + middle + tail for middle in middles for tail in rest]
    return [units]


def matching(units: list[Unit], start: int) -> tuple[int, list[int]]:
    depth, commas = 0, []
    for at in range(start, len(units)):
        if units[at] == "{":
            depth += 1
        elif units[at] == "}":
            depth -= 1
            if depth == 0:
                return at, commas
        elif units[at] == "," and depth == 1:
            commas.append(at)
    return -1, []


def sequence(inner: list[Unit]) -> list[str] | None:
    if not all(isinstance(unit, str) for unit in inner):
        return None
    found = SEQUENCE.fullmatch("".join(str(unit) for unit in inner))
    if not found:
        return None
    low, high, step, first, last, letters = found.groups()
    if low is not None:
        begin, end = int(low), int(high)
        width = max(len(text) if re.match(r"-?0\d", text) else 0 for text in (low, high))
    else:
        begin, end, step, width = ord(first), ord(last), letters, 0
    by = abs(int(step or 1)) or 1
    if abs(end - begin) // by > MOST:
        raise TooMany
    numbers = range(begin, end + 1, by) if begin <= end else range(begin, end - 1, -by)
    if low is None:
        return [chr(number) for number in numbers]
    return [f"{number:0{width}d}" for number in numbers]
