"""Command lines as getopt_long(3) reads them, with the complaints of GNU programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..ports import Process


class Usage(Exception):
    """Ends a command: `text` goes to standard error, whole."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.text, self.status = text, status


def program(p: Process) -> str:
    """GNU programs call themselves what they were called."""
    return p.args[0]


def complain(p: Process, text: str) -> None:
    p.stderr.write(f"{program(p)}: {text}\n".encode("utf-8", "surrogateescape"))


def refuse(p: Process, text: str, status: int = 1, hint: bool = True) -> Usage:
    name = program(p)
    more = f"Try '{name} --help' for more information.\n" if hint else ""
    return Usage(f"{name}: {text}\n{more}", status)


class Options:
    """`given`: (name, value) in the order given; a long name that stands for a letter comes as the letter."""

    #: What ls paints names with, when it does.
    colours: Any = None

    def __init__(self, given: list[tuple[str, str]], operands: list[str]) -> None:
        self.given, self.operands = given, operands

    def __contains__(self, name: str) -> bool:
        return any(name == other for other, _ in self.given)

    def any(self, names: str) -> bool:
        return any(name in self for name in names)

    def value(self, name: str, default: str | None = None) -> str | None:
        return next((value for other, value in reversed(self.given) if other == name), default)

    def text(self, name: str, default: str = "") -> str:
        return self.value(name, default) or default

    def values(self, name: str) -> list[str]:
        return [value for other, value in self.given if other == name]

    def last(self, names: str, default: str = "") -> str:
        """Which of these letters came last."""
        return next((name for name, _ in reversed(self.given) if name in names), default)


def parse(
    p: Process,
    short: str = "",
    long: str = "",
    *,
    status: int = 1,
    permute: bool = True,
    hint: bool = True,
    args: list[str] | None = None,
) -> Options:
    """
    `short` as for getopt(3): a colon after a letter that takes a value, two where it may. `long`: names, each
    `name`, `name=` or `name=?` with a value, and `name:x` where it stands for the letter x.
    """
    takes = dict(letters(short))
    names = dict(longs(long))
    given: list[tuple[str, str]] = []
    operands: list[str] = []
    words = list(p.args[1:] if args is None else args)

    def bad(text: str) -> Usage:
        return refuse(p, text, status, hint)

    while words:
        word = words.pop(0)
        if word == "--":
            operands += words
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found = [known for known in names if known.startswith(name)]
            if name in names:
                found = [name]
            if not found:
                raise bad(f"unrecognized option '{word if not equals else '--' + name}'")
            meant = {names[known] for known in found}
            if len(meant) > 1:
                listed = "".join(f" '--{name}'" for name in found)
                raise bad(f"option '{word}' is ambiguous; possibilities:{listed}")
            kind, letter = names[found[0]]
            if equals and not kind:
                raise bad(f"option '--{found[0]}' doesn't allow an argument")
            if kind == "=" and not equals:
                if not words:
                    raise bad(f"option '--{found[0]}' requires an argument")
                value = words.pop(0)
            given.append((letter, value))
        elif word.startswith("-") and word != "-":
            rest = word[1:]
            while rest:
                letter, rest = rest[0], rest[1:]
                if letter not in takes:
                    raise bad(f"invalid option -- '{letter}'")
                if takes[letter] == "":
                    given.append((letter, ""))
                elif rest or takes[letter] == "?":
                    given.append((letter, rest))
                    rest = ""
                elif words:
                    given.append((letter, words.pop(0)))
                else:
                    raise bad(f"option requires an argument -- '{letter}'")
        else:
            operands.append(word)
            if not permute:
                operands += words
                break
    return Options(given, operands)


def letters(short: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(short):
        letter = short[at]
        at += 1
        colons = len(short) - at - len(short[at:].lstrip(":"))
        at += colons
        yield letter, ("", "=", "?")[min(colons, 2)]


def longs(long: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for word in long.split():
        name, _, letter = word.partition(":")
        bare = name.rstrip("=?")
        yield bare, (name[len(bare) :][-1:], letter or bare)


def number(p: Process, text: str, what: str, status: int = 1) -> int:
    try:
        return int(text)
    except ValueError:
        raise refuse(p, f"{what}: ‘{text}’", status, hint=False) from None
