"""A command of ../commands as an applet: its own letters, its own refusals, its own wording of what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..commands.options import Usage
from . import usage
from .wording import reworded

if TYPE_CHECKING:
    from ..ports import Process, Writer

Command = Callable[["Process"], Awaitable[int]]
#: What is said before a usage.
KEPT = re.compile(r"(?:invalid option|option requires an argument) -- '.'|unrecognized option '[^']*'|option '[^']*' (?:requires an argument|is ambiguous.*)")
#: Exit status of a GNU program -> of the applet, where they differ.
STATUS: dict[str, dict[int, int]] = {"tar": {2: 1}, "xargs": {}, "unzip": {9: 1}}


class Reworded:
    """Standard error, line by line."""

    def __init__(self, below: Writer, name: str) -> None:
        self.below, self.name, self.held = below, name, b""
        self.is_tty = below.is_tty

    def write(self, data: bytes) -> None:
        *lines, self.held = (self.held + data).split(b"\n")
        for line in lines:
            said = reworded(self.name, line.decode("utf-8", "surrogateescape"))
            if said is not None:
                self.below.write(f"{said}\n".encode("utf-8", "surrogateescape"))
        # A question waits for an answer on its line.
        if self.held.endswith((b"? ", b": ")) or len(self.held) > 4096:
            self.flush()

    def flush(self) -> None:
        held, self.held = self.held, b""
        if held:
            self.below.write(held)

    async def drain(self) -> None:
        await self.below.drain()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


def shared(name: str, command: Command) -> Command:
    async def run(p: Process) -> int:
        usage.check(p, name)
        below = p.stderr
        heard = Reworded(below, name)
        p.stderr = heard  # type: ignore[assignment]
        try:
            status = await command(p)
        except Usage as failure:
            raise refused(p, name, failure) from None
        finally:
            heard.flush()
            p.stderr = below
        return STATUS.get(name, {}).get(status, status)

    return run


def refused(p: Process, name: str, failure: Usage) -> Usage:
    """The refusal of a GNU program as BusyBox's: what it says of the letter stays, the hint becomes the usage."""
    if "multi-call binary" in failure.text:
        return failure
    first = failure.text.split("\n", 1)[0]
    lead = first.removeprefix(f"{name}: ")
    wrong = usage.STATUS.get(name, 1)
    if KEPT.fullmatch(lead):
        return usage.refusal(p, name, lead)
    said = reworded(name, first)
    if name == "find" and said and "unrecognized" in said:
        return Usage(f"{said}\n{usage.shown(p, name)}", 1)
    if said != first:
        return Usage(f"{said}\n" if said else "", wrong)
    if "missing" in lead or "Try '" in failure.text or "sage:" in failure.text:
        return usage.refusal(p, name)
    return failure
