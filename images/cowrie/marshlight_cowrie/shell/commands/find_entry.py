"""What find looks at, and the words of its expression."""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .options import Usage

if TYPE_CHECKING:
    from ..ports import Process, Stat


class Entry:
    def __init__(self, path: str, start: str, depth: int, stat: Stat) -> None:
        self.path, self.start, self.depth, self.stat = path, start, depth, stat

    @property
    def name(self) -> str:
        return posixpath.basename(self.path.rstrip("/")) or "/"


Test = Callable[[Entry], Awaitable[bool]]


class Quit(Exception):
    pass


class Words:
    """The expression, from left to right, and what its options have set."""

    def __init__(self, p: Process, args: list[str], follow: bool) -> None:
        self.p, self.args, self.at, self.follow = p, args, 0, follow
        self.least, self.most, self.depth_first = 0, 1 << 30, False
        self.batches: list[tuple[list[str], list[str], None]] = []
        self.status, self.pruned, self.extended = 0, False, "emacs"

    def bad(self, text: str) -> Usage:
        return Usage(f"{self.p.args[0]}: {text}\n", 1)

    def peek(self) -> str:
        return self.args[self.at] if self.at < len(self.args) else ""

    def value(self, option: str) -> str:
        if self.at >= len(self.args):
            raise self.bad(f"missing argument to `{option}'")
        self.at += 1
        return self.args[self.at - 1]


async def always(_: Entry) -> bool:
    return True


def plain(test: Callable[[Entry], bool]) -> Test:
    async def tested(entry: Entry) -> bool:
        return test(entry)

    return tested


def both(one: Test, other: Test, always_second: bool = False) -> Test:
    async def tried(entry: Entry) -> bool:
        return (await one(entry) or always_second) and await other(entry)

    return tried


def ordered(sign: str, value: float, limit: int) -> bool:
    return value > limit if sign == "+" else value < limit if sign == "-" else value == limit
