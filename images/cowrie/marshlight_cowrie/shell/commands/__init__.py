"""
The commands of the pretended host.

    register -> one module a theme, each with COMMANDS: name -> coroutine(Process) -> status
    options (getopt), wording (errors), inputs (files and standard input) stand below all of them
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from .options import Usage, complain
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Command, Process, Registry

THEMES: tuple[str, ...] = (
    *("accounts", "apt", "archive", "attributes", "awk", "become", "characters", "compare", "compression", "copies", "count", "dates", "dd", "disks"),
    *("du", "dump", "ends", "expr", "fields", "files", "find", "grep", "hardware", "identity", "interpreters", "join", "journal", "kill", "kinds"),
    *("lasts", "listing", "logins", "modes", "network", "packages", "passwords", "paths", "pieces", "processes", "ps", "reach", "removal", "said", "sed", "services"),
    *("show", "sockets", "sort", "sums", "top", "words", "xargs", "colours", "terminals", "multiplexers", "zip", "remote", "distant", "perl"),
)
SBIN = frozenset(
    "arp blkid chpasswd chroot cron dmidecode fdisk groupadd groupdel halt ifconfig insmod ip iptables ip6tables lsmod "
    "mkfs modprobe nft nologin poweroff reboot rmmod route runuser service shutdown sshd swapoff swapon sysctl tc "
    "update-rc.d useradd userdel usermod adduser deluser addgroup groupmod newusers pwck visudo chpasswd".split()
)


def register(registry: Registry) -> None:
    """Each command by its bare name and by the paths it stands at on a system with merged /usr."""
    for theme in THEMES:
        for name, command in import_module(f".{theme}", __name__).COMMANDS.items():
            folders = ("/sbin", "/usr/sbin") if name in SBIN else ("/bin", "/usr/bin")
            registry.add(name, *(f"{folder}/{name}" for folder in folders))(guarded(command))


def guarded(command: Callable[[Process], Awaitable[int]]) -> Command:
    """Ends a command as the system would: usage errors, a reader that went away, an error nobody caught."""

    async def run(p: Process) -> int:
        try:
            return await command(p)
        except Usage as usage:
            p.stderr.write(usage.text.encode("utf-8", "surrogateescape"))
            return usage.status
        except BrokenPipeError:
            return 141
        except OSError as error:
            complain(p, f"{error.filename}: {strerror(error)}" if error.filename else strerror(error))
            return 1

    return run
