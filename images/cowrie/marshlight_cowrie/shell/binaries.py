"""
A program that an attacker brought along: nothing of it ever runs. What the shell shows is what a bot shows.

    copy of a program of this host -> that program          another processor, a torn file -> as the kernel refuses it
    else: ends well at once, its child stays in the process table under its name; some take their file away
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any

from ..machine.firmware import endian

if TYPE_CHECKING:
    from .ports import Command, Process

#: e_machine of an ELF header by `uname -m`; those that the same kernel runs besides.
MACHINES = {"x86_64": 62, "i686": 3, "i586": 3, "armv7l": 40, "armv6l": 40, "armv5l": 40, "armv5tejl": 40, "aarch64": 183, "mips": 8, "mips64": 8, "mipsel": 8, "ppc": 20, "ppc64le": 21, "riscv64": 243, "s390x": 22}
BESIDES = {"x86_64": (3,), "aarch64": (40,)}
#: Of a program that a shell reads as a script.
MOST_READ = 65536
#: Daemons of one session.
MOST = 16


def own_copy(shell: Any, path: str, data: bytes) -> Command | None:
    """The registered command whose file this is a copy of."""
    registry, checked = shell.system.registry.by_name, set()
    for place, command in registry.items():
        if not place.startswith(("/usr/", "/bin/busybox")) or command in checked:
            continue
        try:
            if shell.fs.stat(place).size == len(data) and shell.fs.read(place) == data:
                return command  # type: ignore[no-any-return]
        except OSError:
            continue
    return None


def trouble(shell: Any, data: bytes) -> tuple[str, int] | None:
    """Why the kernel does not run it: wording and status, as the shell tells it."""
    bash = shell.dialect.bash
    refused = ("cannot execute binary file: Exec format error" if bash else "Exec format error", 126)
    if len(data) < 52 or data[4] not in (1, 2) or data[5] not in (1, 2):
        return refused
    order = "<" if data[5] == 1 else ">"
    wide = data[4] == 2
    if len(data) < (64 if wide else 52):
        return refused
    kind, machine = struct.unpack_from(f"{order}HH", data, 16)
    here = shell.system.host.persona.os.kernel.machine
    if kind not in (2, 3) or machine not in (MACHINES.get(here, 62), *BESIDES.get(here, ())):
        return refused
    if here.startswith("mips") and (order == "<") != (endian(shell.system.host.persona) == "mipsel"):
        return refused
    at, size, count = (struct.unpack_from(f"{order}Q", data, 32)[0], *struct.unpack_from(f"{order}HH", data, 54)) if wide else (struct.unpack_from(f"{order}I", data, 28)[0], *struct.unpack_from(f"{order}HH", data, 42))
    if not count or size != (56 if wide else 32) or at + size * count > len(data):
        return refused
    torn = False
    for number in range(min(count, 64)):
        where = at + number * size
        (what,) = struct.unpack_from(f"{order}I", data, where)
        offset, length = struct.unpack_from(f"{order}Q", data, where + 8)[0] if wide else struct.unpack_from(f"{order}I", data, where + 4)[0], struct.unpack_from(f"{order}Q" if wide else f"{order}I", data, where + (32 if wide else 16))[0]
        if what == 3:
            interpreter = data[offset : offset + min(length, 256)].split(b"\0")[0].decode("latin1")
            try:
                shell.fs.stat(interpreter)
            except OSError:
                return ("cannot execute: required file not found" if bash else "not found", 127)
        torn = torn or what == 1 and offset + length > len(data)
    return ("", 139) if torn else None


async def run_elf(shell: Any, name: str, path: str, data: bytes, process: Process) -> int:
    """The persona's own programs that nobody asked for end well."""
    if not shell.system.written(path):
        return 0
    command = own_copy(shell, path, data)
    if command is not None:
        if command is shell.system.registry.by_name.get("busybox") and not name.rsplit("/", 1)[-1].startswith("busybox"):
            # It is the applet that it is called by.
            process.args = ["busybox", name.rsplit("/", 1)[-1], *process.args[1:]]
        return int(await command(process))
    found = trouble(shell, data)
    if found is not None:
        text, status = found
        if shell.dialect.kind == "ash" and status == 126:
            # What the kernel does not take, ash reads as a script.
            from .programs import run_script

            return await run_script(process, data[:MOST_READ].replace(b"\0", b"").decode("utf-8", "surrogateescape"), name, process.args[1:])
        if text:
            shell.complain(f"{name}: {text}")
        elif shell.interactive or not shell.dialect.bash:
            shell.say_error("Segmentation fault\n")
        else:
            shell.say_error(f"{shell.prefix()}{process.pid:5d} Segmentation fault      {' '.join(process.args)}\n")
        return status
    await process.host.sleep(0.02 + process.host.random(f"start {name}") / 20)
    stay(shell, process)
    if int(hashlib.sha256(data).hexdigest()[:2], 16) % 3 == 0:
        try:
            process.fs.unlink(path)
        except OSError:
            pass
    return 0


def stay(shell: Any, process: Process) -> None:
    """The child that is left, without a terminal, as one of init's: until it is killed or the session ends."""
    system = shell.system
    table = system.table
    system.daemons = [pid for pid in system.daemons if pid in table.own]
    if len(system.daemons) >= MOST:
        return
    pid = table.new_pid()
    table.add(pid, 1, process.account.name, " ".join(process.args)[:4096], None, "Ss")
    system.daemons.append(pid)

    async def run() -> int:
        try:
            await process.host.sleep(1e6)
            return 0
        finally:
            table.remove(pid)

    task = system.scheduler.spawn(run())
    table.tasks[pid] = task
