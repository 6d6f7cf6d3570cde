"""What kind of machine the persona's own facts make it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..persona import Persona

INITS = ("init", "systemd", "procd", "busybox", "linuxrc", "preinit", "runit", "openrc-init")


def contained(persona: Persona) -> bool:
    """
    The host is itself a container where its first process is no init: then its interface is one end of a pair, without
    a queue of its own, and nobody wrote down that it was started.
    """
    first = next((process.command for process in persona.processes if process.pid == 1), "")
    return bool(first) and first.split(" ")[0].strip("{}").rsplit("/", 1)[-1] not in INITS
