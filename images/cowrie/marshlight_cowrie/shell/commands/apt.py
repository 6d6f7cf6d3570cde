"""Packages from afar: apt, apt-get, apt-cache; rpm and yum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .options import Usage
from .packages import ARCHITECTURES, installed

if TYPE_CHECKING:
    from ..ports import Process


async def apt(p: Process) -> int:
    name = p.args[0].rsplit("/", 1)[-1]
    words = [word for word in p.args[1:] if not word.startswith("-")]
    if any(word in ("-v", "--version") for word in p.args[1:]):
        p.out(f"apt 2.6.1 ({ARCHITECTURES.get(p.host.persona.os.kernel.machine, 'amd64')})\n".replace("2.6.1", version_of(p, "apt", "2.6.1")))
        return 0
    action = words[0] if words else ""
    if name == "apt" and not p.stdout.is_tty:
        p.stderr.write(b"\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n")
    if action == "list":
        p.out("Listing...\n")
        for package in installed(p):
            p.out(f"{package.name}/now {package.version} {package.arch} [installed,local]\n")
        return 0
    if action in ("policy", "show", "madison") or name == "apt-cache":
        return policy(p, words[1:])
    if action in ("install", "remove", "purge", "update", "upgrade", "dist-upgrade", "autoremove", "full-upgrade"):
        return await changed(p, action, words[1:])
    p.out(f"apt {version_of(p, 'apt', '2.6.1')} ({ARCHITECTURES.get(p.host.persona.os.kernel.machine, 'amd64')})\nUsage: {name} [options] command\n")
    return 0


def version_of(p: Process, name: str, default: str) -> str:
    return next((package.version for package in installed(p) if package.name == name), default)


def policy(p: Process, names: list[str]) -> int:
    for name in names:
        package = next((package for package in installed(p) if package.name == name), None)
        if package is None:
            p.stderr.write(f"N: Unable to locate package {name}\n".encode())
            continue
        p.out(f"{name}:\n  Installed: {package.version}\n  Candidate: {package.version}\n  Version table:\n *** {package.version} 100\n        100 /var/lib/dpkg/status\n")
    return 0


async def changed(p: Process, action: str, names: list[str]) -> int:
    if p.account.uid:
        raise Usage("E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n", 100)
    p.out("Reading package lists...\n" + ("Building dependency tree...\nReading state information...\n" if action != "update" else ""))
    known = {package.name: package for package in installed(p)}
    if action in ("install", "remove", "purge"):
        missing = [name for name in names if name not in known]
        if missing:
            raise Usage("".join(f"E: Unable to locate package {name}\n" for name in missing), 100)
        for name in names:
            if action == "install":
                p.out(f"{name} is already the newest version ({known[name].version}).\n")
    if action != "update":
        p.out("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
    return 0


async def rpm(p: Process) -> int:
    words = p.args[1:]
    if "-qa" in words or "-a" in words:
        for package in installed(p):
            p.out(f"{package.name}-{package.version}.{package.arch}\n")
        return 0
    if words[:1] == ["-q"]:
        status_ = 0
        for name in words[1:]:
            package = next((package for package in installed(p) if package.name == name), None)
            status_ |= package is None
            p.out(f"{name}-{package.version}.{package.arch}\n" if package else f"package {name} is not installed\n")
        return status_
    p.out("RPM version 4.16.1.3\n")
    return 0


COMMANDS = {"apt": apt, "apt-get": apt, "apt-cache": apt, "rpm": rpm}
