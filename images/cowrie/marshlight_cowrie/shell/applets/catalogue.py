"""Which applet runs what: BusyBox's own first, then what it shares with the GNU programs, then a mere usage."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..commands.options import Usage
from . import transfers, usage
from .gnu import every
from .shared import Command, refused, shared

if TYPE_CHECKING:
    from ..ports import Process

THEMES = ("disks", "files", "inner", "interfaces", "listing", "machine", "modules", "processes", "text", "transfers")


class Catalogue:
    def __init__(self, common: dict[str, Command]) -> None:
        """`common`: what the other hosts' shells run, by bare name: for what is no command of ours but of Cowrie's."""
        self.own = {**commands_of(f"{__package__}", THEMES), **transfers.over(common)}
        # As the modules have them: what `guarded` adds is said here in other words.
        self.gnu = {**common, **every()}

    def applet(self, name: str) -> Command:
        if name in self.own:
            return checked(name, self.own[name])
        if name in self.gnu:
            return shared(name, self.gnu[name])
        return nothing


def commands_of(package: str, themes: tuple[str, ...]) -> dict[str, Command]:
    made: dict[str, Command] = {}
    for theme in themes:
        made |= import_module(f".{theme}", package).COMMANDS
    return made


def checked(name: str, command: Command) -> Command:
    async def run(p: Process) -> int:
        usage.check(p, name)
        try:
            return await command(p)
        except Usage as failure:
            raise refused(p, name, failure) from None

    return run


async def nothing(p: Process) -> int:
    """One that nobody looks at twice: without operands its usage, else a quiet success."""
    usage.check(p, p.args[0])
    if not p.args[1:]:
        raise usage.refusal(p, p.args[0])
    return 0
