"""The GNU program of a name, whichever module has it: what an applet shares with it and shows in another form."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .. import commands

if TYPE_CHECKING:
    from .shared import Command


def every() -> dict[str, Command]:
    made: dict[str, Command] = {}
    for theme in commands.THEMES:
        made |= import_module(f".{theme}", commands.__name__).COMMANDS
    return made


def gnu(name: str) -> Command:
    return every()[name]
