"""Commands whose stock answer is fixed or the container's own, answered from the persona; open sessions follow it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from . import machine, network
from .signatures import expect, expect_attribute

if TYPE_CHECKING:
    from .decoy import Decoy
    from .persona import Process

PS_HEADER = "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n"
SHORT_HEADER = "    PID TTY          TIME CMD\n"


def install(decoy: Decoy) -> None:
    from cowrie.commands import free, ifconfig
    from cowrie.shell import protocol, server
    from cowrie.shell.command import HoneyPotCommand

    base = protocol.HoneyPotBaseProtocol
    expect(base.boot_time, "(self)")
    expect(base.__init__, "(self, avatar)")
    expect(server.CowrieServer.initFileSystem, "(self, home)")
    expect(free.Command_free.get_free_stats, "(self)")
    expect_attribute(ifconfig, "HWaddr", "inet6")

    def rows_of_ps() -> list[dict[str, Any]]:
        return [row_of_ps(process) for process in decoy.persona.processes]

    init = server.CowrieServer.initFileSystem
    sessions: WeakSet[Any] = WeakSet()
    made = base.__init__

    def init_file_system(self: Any, home: str) -> None:
        init(self, home)
        self.process = rows_of_ps()

    def protocol_made(self: Any, avatar: Any) -> None:
        made(self, avatar)
        self.personaHostname = self.hostname
        sessions.add(self)

    def follow(decoy: Decoy) -> None:
        ifconfig.HWaddr, ifconfig.inet6 = network.mac(), network.link_local()
        for session in sessions:
            # A name that the attacker gave with `hostname` stays his.
            if session.hostname == session.personaHostname:
                session.hostname = session.personaHostname = decoy.persona.hostname
            if session.user:
                session.user.server.process = rows_of_ps()

    server.CowrieServer.initFileSystem = init_file_system
    base.__init__ = protocol_made
    base.boot_time = lambda self: decoy.persona.booted_at
    free.Command_free.get_free_stats = lambda self: memory_figures(machine.meminfo(decoy.persona))
    decoy.on_change(follow)

    class Command_ps(HoneyPotCommand):  # type: ignore[misc]
        def call(self) -> None:
            self.write(ps(decoy, str(self.user["username"]), self.args))

    class Command_nproc(HoneyPotCommand):  # type: ignore[misc]
        def call(self) -> None:
            self.write(f"{decoy.persona.hardware.cores}\n")

    class Command_lscpu(HoneyPotCommand):  # type: ignore[misc]
        def call(self) -> None:
            self.write(lscpu(decoy))

    for name, command in (("ps", Command_ps), ("nproc", Command_nproc), ("lscpu", Command_lscpu)):
        for path in (name, f"/bin/{name}", f"/usr/bin/{name}"):
            base.commands[path] = command


def row_of_ps(process: Process) -> dict[str, Any]:
    return {
        "USER": process.user,
        "PID": process.pid,
        "CPU": process.cpu,
        "MEM": process.mem,
        "VSZ": process.vsz,
        "RSS": process.rss,
        "TTY": process.tty,
        "STAT": process.stat,
        "START": process.start,
        "TIME": process.time,
        "COMMAND": process.command,
    }


def ps(decoy: Decoy, user: str, args: list[str]) -> str:
    asked = "".join(args).replace("-", "")
    shell = machine.last_pid(decoy.persona)
    own = [("-bash", "Ss", shell), (" ".join(["ps", *args]), "R+", shell + 31)]
    if not any(letter in asked for letter in "aexA"):
        return SHORT_HEADER + "".join(
            f"{pid:7d} pts/0    00:00:00 {machine.comm(command).lstrip('-')}\n" for command, _, pid in own
        )
    rows = [
        f"{process.user[:8]:<8} {process.pid:7d} {process.cpu:4.1f} {process.mem:4.1f} {process.vsz:6d} {process.rss:5d} "
        f"{process.tty:<8} {process.stat:<4} {process.start:>5} {process.time:>6} {process.command}\n"
        for process in sorted(decoy.persona.processes, key=lambda process: process.pid)
    ]
    now = time.strftime("%H:%M")
    mine = [
        f"{user[:8]:<8} {pid:7d}  0.0  0.1   {vsz:4d}  {rss:4d} pts/0    {stat:<4} {now}   0:00 {command}\n"
        for (command, stat, pid), vsz, rss in zip(own, (7196, 9088), (3968, 3212), strict=True)
    ]
    return PS_HEADER + "".join(rows + mine)


def memory_figures(meminfo: str) -> dict[str, int]:
    rows = (line.split(":") for line in meminfo.splitlines())
    return {name: int(value.split()[0]) for name, value in rows}


def lscpu(decoy: Decoy) -> str:
    hardware, kernel = decoy.persona.hardware, decoy.persona.os.kernel
    rows = {
        "Architecture": kernel.machine,
        "CPU op-mode(s)": "32-bit, 64-bit" if kernel.machine in ("x86_64", "aarch64") else "32-bit",
        "Byte Order": "Big Endian" if kernel.machine in ("mips", "ppc64") else "Little Endian",
        "CPU(s)": str(hardware.cores),
        "On-line CPU(s) list": f"0-{hardware.cores - 1}" if hardware.cores > 1 else "0",
        "Model name": hardware.cpu_model,
        "Thread(s) per core": "1",
        "Core(s) per socket": str(hardware.cores),
        "Socket(s)": "1",
        "CPU max MHz": f"{hardware.cpu_mhz:.4f}",
    }
    return "".join(f"{name + ':':<25}{value}\n" for name, value in rows.items())
