"""Memory and who uses it: free and top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .load import loads, memory
from .logins import headline
from .options import Usage, parse
from .processes import comm, rows_of

if TYPE_CHECKING:
    from ..ports import Process

FREE_USAGE = """
Usage:
 free [options]

Options:
 -b, --bytes         show output in bytes
     --kilo          show output in kilobytes
     --mega          show output in megabytes
     --giga          show output in gigabytes
     --tera          show output in terabytes
     --peta          show output in petabytes
 -k, --kibi          show output in kibibytes
 -m, --mebi          show output in mebibytes
 -g, --gibi          show output in gibibytes
     --tebi          show output in tebibytes
     --pebi          show output in pebibytes
 -h, --human         show human-readable output
     --si            use powers of 1000 not 1024
 -l, --lohi          show detailed low and high memory statistics
 -L, --line          show output on a single line
 -t, --total         show total for RAM + swap
 -v, --committed     show committed memory and commit limit
 -s N, --seconds N   repeat printing every N seconds
 -c N, --count N     repeat printing N times, then exit
 -w, --wide          wide output

     --help     display this help and exit
 -V, --version  output version information and exit

For more details see free(1).
"""


async def free(p: Process) -> int:
    try:
        options = parse(p, "bkmghltvs:c:wVL", "bytes:b kilo mega giga kibi:k mebi:m gibi:g human:h si lohi:l total:t wide:w seconds=:s count=:c help version:V", hint=False)
    except Usage as usage:
        usage.text += FREE_USAGE
        raise
    if "help" in options:
        p.out(FREE_USAGE)
        return 0
    m = memory(p)
    cache = m["Buffers"] + m["Cached"] + m["SReclaimable"]
    used = m["MemTotal"] - m["MemAvailable"]
    figures = [m["MemTotal"], used, m["MemFree"], m["Shmem"], cache, m["MemAvailable"]]
    swap = [m["SwapTotal"], m["SwapTotal"] - m["SwapFree"], m["SwapFree"]]
    unit = options.last("bkmg", "k")

    def told(kb: int) -> str:
        if "h" in options:
            return binary(kb * 1024)
        return str({"b": kb * 1024, "k": kb, "m": kb // 1024, "g": kb // 1048576}[unit])

    heads = ["total", "used", "free", "shared", "buff/cache", "available"]
    p.out(" " * 8 + "".join(f"{head:>12}" for head in heads).replace(" " * 7 + "total", " " * 7 + "total", 1) + "\n")
    p.out(f"{'Mem:':<8}" + "".join(f"{told(value):>12}" for value in figures) + "\n")
    p.out(f"{'Swap:':<8}" + "".join(f"{told(value):>12}" for value in swap) + "\n")
    if "t" in options:
        p.out(f"{'Total:':<8}" + "".join(f"{told(a + b):>12}" for a, b in zip(figures, swap, strict=False)) + "\n")
    return 0


def binary(size: float) -> str:
    """As `free -h`: rounded down, `Gi`."""
    for unit in ("B", "Ki", "Mi", "Gi", "Ti"):
        if size < 1024 or unit == "Ti":
            return f"{size:.1f}{unit}" if size < 10 and unit != "B" else f"{int(size)}{unit}"
        size /= 1024
    return str(size)


async def top(p: Process) -> int:
    words = " ".join(p.args[1:])
    if not p.stdout.is_tty and "b" not in words.replace("-", ""):
        raise Usage("top: failed tty get\n")
    rows = rows_of(p)
    m = memory(p)
    load = loads(p)
    busy = min(99.0, load[0] / max(1, p.host.persona.hardware.cores) * 100)
    running = sum(row.stat.startswith("R") for row in rows) or 1
    sleeping = len(rows) - running
    cache = m["Buffers"] + m["Cached"] + m["SReclaimable"]
    mib = {name: value / 1024 for name, value in m.items()}
    p.out(
        f"top -{headline(p)}\n"
        f"Tasks: {len(rows):3d} total, {running:3d} running, {sleeping:3d} sleeping,   0 stopped,   0 zombie\n"
        f"%Cpu(s): {busy * 0.7:4.1f} us, {busy * 0.3:4.1f} sy,  0.0 ni, {100 - busy:4.1f} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n"
        f"MiB Mem : {mib['MemTotal']:8.1f} total, {mib['MemFree']:8.1f} free, {(m['MemTotal'] - m['MemAvailable']) / 1024:8.1f} used, {cache / 1024:8.1f} buff/cache     \n"
        f"MiB Swap: {mib['SwapTotal']:8.1f} total, {mib['SwapFree']:8.1f} free, {mib['SwapTotal'] - mib['SwapFree']:8.1f} used. {mib['MemAvailable']:8.1f} avail Mem \n\n"
        "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n"
    )
    for row in sorted(rows, key=lambda row: (-row.cpu, row.pid)):
        minutes, seconds = divmod(row.used, 60)
        p.out(
            f"{row.pid:7d} {row.user if len(row.user) < 9 else row.user[:7] + '+':<8}  20   0 {row.vsz:7d} {row.rss:6d} {row.rss * 3 // 4:6d} {row.stat[:1]} "
            f"{row.cpu:5.1f} {row.mem:5.1f} {int(minutes):3d}:{seconds:05.2f} {comm(row.command)}\n"
        )
    return 0


COMMANDS = {"free": free, "top": top}
