"""How long it runs, how busy it is, who is there: uptime free top w who last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...machine import busybox as facts
from ..commands.load import loads, memory
from ..commands.options import parse
from ..commands.processes import rows_of
from ..commands.times import local
from .figures import human, short
from .processes import shown, state
from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process


def up(p: Process) -> str:
    minutes = int(p.host.now() - p.host.persona.booted_at) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    lead = f"{days} day{'s' if days != 1 else ''}, " if days else ""
    return lead + (f"{hours:2d}:{rest:02d}" if hours else f"{rest} min")


async def uptime(p: Process) -> int:
    now = p.host.now()
    load = ", ".join(f"{value:.2f}" for value in loads(p))
    # Firmware builds keep no record of who is logged in, and leave the users out.
    users = "  0 users," if facts.of_distribution(p.host.persona) else ""
    p.out(f" {local(p, now):%H:%M:%S} up {up(p)},{users}  load average: {load}\n")
    return 0


async def free(p: Process) -> int:
    options = parse(p, "bkmghs:c:")
    m = memory(p)
    unit = options.last("bkmgh", "k")
    cache = m["Buffers"] + m["Cached"] + m["SReclaimable"]

    def told(kb: int) -> str:
        if unit == "h":
            return human(kb * 1024)
        return str({"b": kb * 1024, "k": kb, "m": kb // 1024, "g": kb // 1048576}[unit])

    figures = (m["MemTotal"], m["MemTotal"] - m["MemFree"] - cache, m["MemFree"], m["Shmem"], cache, m["MemAvailable"])
    p.out(" " * 7 + "".join(f"{head:>12}" for head in HEADS) + "\n")
    p.out("Mem:  " + " ".join(f"{told(value):>{12 if at == 0 else 11}}" for at, value in enumerate(figures)) + "\n")
    swap = (m["SwapTotal"], m["SwapTotal"] - m["SwapFree"], m["SwapFree"])
    p.out("Swap: " + " ".join(f"{told(value):>{12 if at == 0 else 11}}" for at, value in enumerate(swap)) + "\n")
    return 0


HEADS = ("total", "used", "free", "shared", "buff/cache", "available")


async def top(p: Process) -> int:
    rows = rows_of(p)
    m = memory(p)
    load = loads(p)
    busy = min(99, round(load[0] / max(1, p.host.persona.hardware.cores) * 100))
    last = max((row.pid for row in rows), default=1)
    lines = [
        f"Mem: {m['MemTotal'] - m['MemFree']}K used, {m['MemFree']}K free, {m['Shmem']}K shrd, {m['Buffers']}K buff, {m['Cached']}K cached",
        f"CPU: {busy * 2 // 3:3d}% usr {busy - busy * 2 // 3:3d}% sys   0% nic {100 - busy:3d}% idle   0% io   0% irq   0% sirq",
        f"Load average: {load[0]:.2f} {load[1]:.2f} {load[2]:.2f} 1/{len(rows) + 3} {last}",
        "  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND",
    ]
    for row in sorted(rows, key=lambda row: (-row.cpu, -row.vsz, row.pid)):
        part = row.vsz * 100 // max(1, m["MemTotal"])
        lines.append(f"{row.pid:5d} {row.ppid:5d} {row.user[:8]:<8} {state(row)}{' ' if len(state(row)) < 4 else ''} {short(row.vsz)} {part:3d}% {round(row.cpu):3d}% {shown(row)}")
    if not p.stdout.is_tty:
        p.out("".join(f"{line}\n" for line in lines) + "\n")
        return 0
    width, height = p.size
    lines[3] = f"\x1b[7m{lines[3]:<{width}}\x1b[m"
    p.out("\x1b[H\x1b[J" + "".join(f"{line[: width + 8]}\r\n" for line in lines[: max(5, height - 1)]))
    return 0


async def w(p: Process) -> int:
    p.out("USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n")
    return 0


async def who(p: Process) -> int:
    """No firmware keeps utmp."""
    parse(p, "aHT")
    return 0


async def last(p: Process) -> int:
    if p.args[1:]:
        raise refusal(p, "last")
    p.stderr.write(b"last: can't open '/var/log/wtmp': No such file or directory\n")
    return 1


COMMANDS = {"uptime": uptime, "free": free, "top": top, "w": w, "who": who, "last": last}
