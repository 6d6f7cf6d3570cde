"""`${name#...}`, `${name%...}`, `${name/...}`: what a pattern takes off a text, or puts another in place of."""

from __future__ import annotations

import re

from .patterns import compiled
from .variables import OutOfMemory

#: Signs of a text that a pattern with stars is tried on.
LONG = 8192


def trimmed(text: str, pattern: str, operator: str) -> str:
    if operator == "##" or operator == "#":
        found = compiled(pattern, shortest=operator == "#").match(text) if operator == "#" else longest(text, pattern)
        return text[found.end() :] if found else text
    fits = compiled(pattern).fullmatch
    places = range(len(text) + 1) if operator == "%%" else range(len(text), -1, -1)
    if "*" in pattern and len(text) > LONG:
        places = places[:LONG]
    for at in places:
        if fits(text, at):
            return text[:at]
    return text


def longest(text: str, pattern: str) -> re.Match[str] | None:
    return compiled(pattern).match(text)


def replaced(text: str, pattern: str, made: str, operator: str) -> str:
    if operator == "/#":
        found = compiled(pattern).match(text)
        return made + text[found.end() :] if found else text
    if operator == "/%":
        short = trimmed(text, pattern, "%%")
        return short + made if short != text or not pattern else text
    if not pattern:
        return text
    rest = ""
    if "*" in pattern and len(text) > LONG:
        # Each place of the text is tried with all that follows it.
        text, rest = text[:LONG], text[LONG:]
    out, at = [], 0
    search = compiled(pattern).search
    size = 0
    while at <= len(text):
        found = search(text, at)
        if found is None or found.end() == found.start() and found.start() >= len(text):
            break
        if found.end() == found.start():
            out.append(text[at : found.start() + 1])
            at = found.start() + 1
            continue
        out.append(text[at : found.start()] + made)
        size += len(out[-1])
        if size > 1 << 20:
            raise OutOfMemory(size)
        at = found.end()
        if operator == "/":
            break
    return "".join(out) + text[at:] + rest
