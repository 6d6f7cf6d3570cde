"""How the shell writes a text so that it could read it again: `set`, `declare -p`, `printf %q`, `${x@Q}`, `trap`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .variables import Variable

SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
NAMED = {"\a": "\\a", "\b": "\\b", "\x1b": "\\E", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def ansi_quoted(text: str) -> str:
    def sign(char: str) -> str:
        if char in NAMED:
            return NAMED[char]
        if char in "\\'":
            return "\\" + char
        if CONTROL.match(char):
            return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))
        return char

    return "$'" + "".join(sign(char) for char in text) + "'"


def single_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def shell_quoted(text: str) -> str:
    """`${x@Q}`: always in quotes."""
    return ansi_quoted(text) if CONTROL.search(text) else single_quoted(text)


def backslash_quoted(text: str) -> str:
    """`printf %q`"""
    if not text:
        return "''"
    if CONTROL.search(text):
        return ansi_quoted(text)
    quoted = re.sub(r"([^\w@%+=:./\-\u0080-\U0010ffff])", r"\\\1", text, flags=re.A)
    return "\\" + quoted if quoted.startswith("~") else quoted


def set_quoted(text: str) -> str:
    """`set` and `trap -p`: quotes only where they are needed."""
    if not text:
        return text
    if CONTROL.search(text):
        return ansi_quoted(text)
    return text if SAFE.fullmatch(text) and "=" not in text[:0] else single_quoted(text)


def double_quoted(text: str) -> str:
    """`declare -p`"""
    if CONTROL.search(text):
        return ansi_quoted(text)
    return '"' + re.sub(r'([$`"\\])', r"\\\1", text) + '"'


def value_quoted(variable: Variable, ordered: Callable[[Variable], list[Any]]) -> str:
    """What `declare -p` gives after the name."""
    if not isinstance(variable.value, dict):
        return double_quoted(variable.value or "")
    items = " ".join(
        f"[{backslash_key(key)}]={double_quoted(variable.value[key])}" for key in ordered(variable)
    )
    return f"({items} )" if variable.array == "A" and items else f"({items})"


def backslash_key(key: Any) -> str:
    return str(key) if isinstance(key, int) or SAFE.fullmatch(key) else double_quoted(key)
