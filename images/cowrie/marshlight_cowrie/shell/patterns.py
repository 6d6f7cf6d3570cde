"""Shell patterns: as regular expressions, and as names in the file system. A backslash takes the next sign's meaning."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ports import FileSystem

CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "cntrl": r"\x00-\x1f\x7f",
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
    "word": "a-zA-Z0-9_",
}
#: Names that one glob may give; more are left out.
MOST_NAMES = 20000


def quote(text: str) -> str:
    return re.sub(r"([\\*?\[\]()|@!+])", r"\\\1", text)


def is_pattern(text: str) -> bool:
    return bool(re.search(r"(?<!\\)(?:\\\\)*[*?\[]|(?<!\\)[@+!]\(", text))


@lru_cache(maxsize=512)
def compiled(pattern: str, *, shortest: bool = False, extended: bool = True, ignore_case: bool = False) -> re.Pattern[str]:
    source = translate(pattern, shortest=shortest, extended=extended)
    try:
        return re.compile(source, re.S | (re.I if ignore_case else 0))
    except re.error:
        return re.compile(re.escape(pattern))


def translate(pattern: str, *, shortest: bool = False, extended: bool = True) -> str:
    out: list[str] = []
    at = 0
    star = ".*?" if shortest else ".*"
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            out.append(re.escape(pattern[at + 1]))
            at += 2
            continue
        if extended and char in "?*+@!" and pattern[at + 1 : at + 2] == "(":
            end = closing(pattern, at + 1)
            if end:
                inner = "|".join(translate(part, extended=True) for part in alternatives(pattern[at + 2 : end]))
                rest = translate(pattern[end + 1 :], shortest=shortest)
                if char == "!":
                    out.append(f"(?!(?:{inner}){rest}$).*{rest}")
                    return "".join(out)
                out.append(f"(?:{inner})" + {"@": "", "?": "?", "*": "*", "+": "+"}[char])
                at = end + 1
                continue
        if char == "*":
            if not out or out[-1] != star:
                out.append(star)
        elif char == "?":
            out.append(".")
        elif char == "[":
            found = bracket(pattern, at)
            if found is None:
                out.append(r"\[")
            else:
                text, at = found
                out.append(text)
                continue
        else:
            out.append(re.escape(char))
        at += 1
    return stepwise(out, star)


def stepwise(tokens: list[str], star: str) -> str:
    """
    What stands between two stars is right where it is found first, so that no star but the last is ever tried again:
    without this, a pattern of many stars takes time that grows with their number as a power.
    """
    stars = [at for at, token in enumerate(tokens) if token == star]
    if len(stars) < 2 or any(token.startswith("(?:") for token in tokens):
        return "".join(tokens)
    made = tokens[: stars[0]]
    for start, end in zip(stars, stars[1:]):
        made.append("(?>.*?" + "".join(tokens[start + 1 : end]) + ")")
    return "".join(made + tokens[stars[-1] :])


def bracket(pattern: str, at: int) -> tuple[str, int] | None:
    start = at + 1
    negated = pattern[start : start + 1] in ("!", "^") and pattern[start : start + 1] != ""
    at = start + negated
    out = []
    first = True
    while at < len(pattern):
        char = pattern[at]
        if char == "]" and not first:
            inside = "".join(out)
            if not inside:
                return (".", at + 1) if negated else ("(?!)", at + 1)
            return f"[{'^' if negated else ''}{inside}]", at + 1
        first = False
        named = re.match(r"\[:(\w+):\]", pattern[at:])
        if named:
            out.append(CLASSES.get(named.group(1), ""))
            at += named.end()
            continue
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            char = pattern[at]
        out.append("-" if char == "-" else re.escape(char) if char not in "^" else r"\^")
        at += 1
    return None


def closing(pattern: str, at: int) -> int:
    depth = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        else:
            depth += (pattern[at] == "(") - (pattern[at] == ")")
            if depth == 0:
                return at
        at += 1
    return 0


def alternatives(text: str) -> list[str]:
    parts, depth, last, at = [], 0, 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "|" and depth == 0:
            parts.append(text[last:at])
            last = at + 1
        else:
            depth += (text[at] == "(") - (text[at] == ")")
        at += 1
    return [*parts, text[last:]]


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.S)


def glob(fs: FileSystem, cwd: str, pattern: str, *, hidden: bool = False, extended: bool = False) -> list[str]:
    """Names that match, sorted; relative ones stay so."""
    absolute = pattern.startswith("/")
    parts = re.split(r"/+", pattern.strip("/")) if pattern.strip("/") else []
    folders = pattern.endswith("/")
    found = ["/"] if absolute else [""]
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        found = [name for base in found for name in step(fs, cwd, base, part, hidden=hidden, extended=extended)]
        found = found[:MOST_NAMES]
        if not last or folders:
            found = [name for name in found if is_folder(fs, joined(cwd, name))]
    return sorted(name + "/" for name in found) if folders else sorted(found)


def step(fs: FileSystem, cwd: str, base: str, part: str, *, hidden: bool, extended: bool) -> list[str]:
    lead = base if not base or base.endswith("/") else base + "/"
    if not is_pattern(part):
        name = lead + unescaped(part)
        try:
            fs.stat(joined(cwd, name), follow=False)
        except OSError:
            return []
        return [name]
    try:
        names = fs.listdir(joined(cwd, base or "."))
    except OSError:
        return []
    if part.startswith("."):
        names = [".", "..", *names]
    matches = compiled(part, extended=extended).fullmatch
    shown = hidden or part.startswith((".", "\\."))
    return [lead + name for name in names if (shown or not name.startswith(".")) and matches(name)]


def joined(cwd: str, name: str) -> str:
    return name if name.startswith("/") else f"{cwd.rstrip('/')}/{name}"


def is_folder(fs: FileSystem, path: str) -> bool:
    try:
        return fs.stat(path).mode & 0o170000 == 0o040000
    except OSError:
        return False
