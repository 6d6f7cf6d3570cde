"""POSIX basic and extended expressions, as grep, sed, awk, find and expr read them, made into Python's."""

from __future__ import annotations

import re

CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
    "space": r"\s", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f", "punct": r"!-/:-@\[-`{-~", "print": r"\x20-\x7e",
    "graph": "!-~",
}  # fmt: skip
MAGIC = set(".^$*+?{}[]\\|()")
KEPT = {"w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S", "b": r"\b", "B": r"\B", "`": r"\A", "'": r"\Z"}
CONTROL = {"n": "\\n", "t": "\\t", "r": "\\r", "f": "\\f", "v": "\\v", "a": "\\a"}


class BadPattern(ValueError):
    """The message is the one of the C library."""


def translate(pattern: str, *, extended: bool, escapes: bool = False) -> str:
    """`escapes`: \\n, \\t and their like stand for characters, as in sed and awk."""
    out: list[str] = []
    at, depth, length = 0, 0, len(pattern)
    start = True  # where a basic expression's * and ^ stand for themselves and as an anchor
    while at < length:
        c = pattern[at]
        at += 1
        was_start, start = start, False
        if c == "\\":
            if at >= length:
                raise BadPattern("Trailing backslash")
            c = pattern[at]
            at += 1
            if not extended and c in "(){}|+?":
                if c == "{":
                    end = pattern.find("\\}", at)
                    if end < 0:
                        raise BadPattern("Unmatched \\{")
                    out.append(bounds(pattern[at:end]))
                    at = end + 2
                    continue
                out.append(c)
                depth += (c == "(") - (c == ")")
                if depth < 0:
                    raise BadPattern("Unmatched ) or \\)")
                start = c in "(|"
            elif c in KEPT:
                out.append(KEPT[c])
            elif c in "<>":
                out.append(r"\b(?=\w)" if c == "<" else r"\b(?<=\w)")
            elif c.isdigit() and c != "0":
                out.append(f"(?:\\{c})")
            elif escapes and c in CONTROL:
                out.append(CONTROL[c])
            else:
                out.append(re.escape(c))
        elif c == "[":
            text, at = bracket(pattern, at, escapes)
            out.append(text)
        elif c == "*" and was_start and not extended:
            out.append(r"\*")
        elif c == "*":
            if out and out[-1] in ("*", "+", "?"):
                continue
            out.append("*" if not was_start else "")
        elif c == "^" and not extended:
            out.append("^" if was_start else r"\^")
            start = was_start
        elif c == "$" and not extended:
            anchors = at >= length or pattern.startswith(("\\)", "\\|"), at)
            out.append("(?=\\n?\\Z)" if anchors else r"\$")
        elif c == "$":
            out.append("(?=\\n?\\Z)")
        elif extended and c in "+?":
            if was_start:
                continue
            if out and out[-1] in ("*", "+", "?"):
                continue
            out.append(c)
        elif extended and c == "{" and re.match(r"\d*,?\d*\}", pattern[at:]) and not was_start and pattern[at] != "}":
            end = pattern.index("}", at)
            out.append(bounds(pattern[at:end]))
            at = end + 1
        elif extended and c in "()|":
            depth += (c == "(") - (c == ")")
            if depth < 0:
                depth = 0
                out.append(r"\)")
                continue
            out.append(c)
            start = c in "(|"
        elif c == "." or extended and c == "^":
            out.append(c)
            start = c == "^"
        else:
            out.append(re.escape(c))
    if depth > 0:
        raise BadPattern("Unmatched ( or \\(")
    return "".join(out)


def bounds(text: str) -> str:
    if not re.fullmatch(r"\d*(,\d*)?", text) or not text:
        raise BadPattern("Invalid content of \\{\\}")
    low, comma, high = text.partition(",")
    if int(low or 0) > 32767 or int(high or 0) > 32767:
        raise BadPattern("Regular expression too big")
    if high and int(high) < int(low or 0):
        raise BadPattern("Invalid content of \\{\\}")
    return "{" + (low or "0") + comma + high + "}"


def bracket(pattern: str, at: int, escapes: bool) -> tuple[str, int]:
    """From behind the `[` to behind its `]`."""
    out = "["
    if pattern[at : at + 1] == "^":
        out += "^"
        at += 1
    begun = at
    while True:
        if at >= len(pattern):
            raise BadPattern("Unmatched [, [^, [:, [., or [=")
        c = pattern[at]
        if c == "]" and at > begun:
            return out + "]", at + 1
        named = re.match(r"\[([:.=])(.*?)\1\]", pattern[at:])
        if named:
            if named[1] == ":":
                if named[2] not in CLASSES:
                    raise BadPattern("Invalid character class name")
                out += CLASSES[named[2]]
            else:
                out += re.escape(named[2])
            at += named.end()
            continue
        if c == "\\" and escapes and pattern[at + 1 : at + 2] in ("n", "t", "r", "f", "v", "a", "\\", "]", "/", '"'):
            out += CONTROL.get(pattern[at + 1], re.escape(pattern[at + 1]))
            at += 2
            continue
        if c == "-" and at > begun and pattern[at + 1 : at + 2] not in ("]", ""):
            out += "-"
        elif c in "\\[]^-&~|":
            out += "\\" + c
        else:
            out += c
        at += 1


def compiled(pattern: str, *, extended: bool, ignore_case: bool = False, escapes: bool = False) -> re.Pattern[str]:
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    try:
        return re.compile(translate(pattern, extended=extended, escapes=escapes), flags | re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise BadPattern("Invalid preceding regular expression") from None
