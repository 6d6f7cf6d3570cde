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


#: What those systems call themselves whose every command is BusyBox.
SMALL = ("openwrt", "lede", "busybox", "embedded", "buildroot", "unifi")


def small(persona: Persona) -> bool:
    """BusyBox stands behind its commands: it says so, its shell greets with it, or its system is one of those."""
    return persona.busybox is not None or persona.os.id in SMALL or persona.os.kernel.machine.startswith(("mips", "armv5")) or "built-in shell (ash)" in persona.motd
