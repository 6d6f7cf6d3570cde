"""The machine's state: uptime w who last lastlog free top df mount lscpu nproc lsblk lsmod dmesg."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ...machine.kind import contained
from .listing import human
from .load import disk, loads, memory
from .names import users
from .options import Usage, complain, parse
from .processes import comm, rows_of
from .times import local, span
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

WEEK = "%a %b %e %H:%M"


def sessions(p: Process) -> list[tuple[str, str, str, float]]:
    """Who is logged in on a terminal: name, terminal, from where, since when (seconds)."""
    if not p.tty:
        return []
    where = getattr(p.session, "peer", None) or getattr(p.session, "address", None) or "192.168.1.10"
    return [(p.account.name, p.tty.removeprefix("/dev/"), str(where), float(p.notes.get("began", p.host.now() - 40)))]


def headline(p: Process) -> str:
    now, count = p.host.now(), len(sessions(p))
    load = ", ".join(f"{value:.2f}" for value in loads(p))
    up = span(now - p.host.persona.booted_at)
    return f" {local(p, now):%H:%M:%S} up {up},  {count} user{'s' if count > 1 else ''},  load average: {load}"


async def uptime(p: Process) -> int:
    options = parse(p, "phsV", "pretty:p help:h since:s version:V", hint=False)
    booted = p.host.persona.booted_at
    if "s" in options:
        p.out(f"{local(p, booted):%Y-%m-%d %H:%M:%S}\n")
    elif "p" in options:
        minutes = int(p.host.now() - booted) // 60
        parts = [(minutes // 10080, "week"), (minutes // 1440 % 7, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
        p.out("up " + ", ".join(f"{n} {unit}{'s' if n > 1 else ''}" for n, unit in parts if n) + "\n")
    else:
        p.out(headline(p) + "\n")
    return 0


async def w(p: Process) -> int:
    options = parse(p, "hsfuoiV", "no-header:h short:s")
    if "h" not in options:
        p.out(headline(p) + "\n")
        p.out("USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n")
    for name, tty, where, since in sessions(p):
        p.out(f"{name[:8]:<8} {tty:<8} {where[:16]:<16} {local(p, since):%H:%M}    1.00s  0.04s  0.00s w\n")
    return 0


async def who(p: Process) -> int:
    options = parse(p, "abdHlmpqrstTuw", "all:a boot:b dead:d heading:H count:q")
    if options.operands[:1] == ["am"] or options.operands[:1] == ["mom"]:
        options.given.append(("m", ""))
    if "H" in options:
        p.out("NAME     LINE         TIME             COMMENT\n")
    if "b" in options and contained(p.host.persona):
        return 0
    if "b" in options:
        p.out(f"         system boot  {local(p, p.host.persona.booted_at):%Y-%m-%d %H:%M}\n")
        return 0
    if "q" in options:
        names = [name for name, *_ in sessions(p)]
        p.out(" ".join(names) + f"\n# users={len(names)}\n")
        return 0
    for name, tty, where, since in sessions(p):
        p.out(f"{name:<8} {tty:<12} {local(p, since):%Y-%m-%d %H:%M} ({where})\n")
    return 0


async def users_(p: Process) -> int:
    names = [name for name, *_ in sessions(p)]
    if names:
        p.out(" ".join(names) + "\n")
    return 0


def history(p: Process) -> list[tuple[str, str, float, float]]:
    """Past log-ins of the persona's people since the boot: name, from, begin, end; newest first."""
    schedule = getattr(p.host.persona, "schedule", None)
    now, booted = p.host.now(), p.host.persona.booted_at
    found = []
    for login in schedule.logins if schedule else ():
        for day in range(int(max(booted, now - 30 * 86400) // 86400), int(now // 86400) + 1):
            if schedule and (day + 3) % 7 + 1 not in schedule.work_days:
                continue
            for index in range(max(1, round(login.per_day)) if login.per_day >= 0.5 else 0):
                seed = p.host.random(f"login {login.user} {day} {index}")
                hour = schedule.work_from + seed * max(0.5, schedule.work_to - schedule.work_from) if schedule else 9
                begin = day * 86400 + hour * 3600
                end = begin + 120 + 5000 * p.host.random(f"logout {login.user} {day} {index}")
                if booted < begin and end < now:
                    found.append((login.user, login.source, begin, end))
    return sorted(found, key=lambda row: -row[2])


async def last(p: Process) -> int:
    args = [word if not (word[:1] == "-" and word[1:].isdigit()) else f"-n{word[1:]}" for word in p.args[1:]]
    options = parse(p, "adf:FiIn:pRs:t:wx", "limit=:n system:x", args=args, hint=False)
    rows = []
    for name, tty, where, since in sessions(p):
        rows.append((name, f"{name[:8]:<8} {tty:<12} {where[:16]:<16} {local(p, since).strftime(WEEK)}   still logged in\n"))
    for name, where, begin, end in history(p):
        minutes = int(end - begin) // 60
        took = f"({minutes // 60:02d}:{minutes % 60:02d})"
        rows.append((name, f"{name[:8]:<8} {'pts/0':<12} {where[:16]:<16} {local(p, begin).strftime(WEEK)} - {local(p, end):%H:%M}  {took}\n"))
    booted, kernel = p.host.persona.booted_at, p.host.persona.os.kernel.release
    if not contained(p.host.persona):
        rows.append(("reboot", f"{'reboot':<8} {'system boot':<12} {kernel[:16]:<16} {local(p, booted).strftime(WEEK)}   still running\n"))
    if options.operands:
        rows = [row for row in rows if row[0] in options.operands]
    if "n" in options:
        rows = rows[: int(options.text("n", "0") or 0)]
    began = local(p, booted - 86400 * int(p.host.random("wtmp") * 20))
    p.out("".join(line for _, line in rows) + f"\nwtmp begins {began.strftime('%a %b %e %H:%M:%S %Y')}\n")
    return 0


async def lastlog(p: Process) -> int:
    options = parse(p, "b:t:u:CS", "user=:u time=:t before=:b")
    seen = {name: (where, begin) for name, where, begin, _ in reversed(history(p))}
    seen |= {name: (where, since) for name, _, where, since in sessions(p)}
    p.out("Username         Port     From                                       Latest\n")
    for account in users(p.fs):
        if "u" in options and options.text("u") not in (account.name, str(account.uid)):
            continue
        if account.name in seen:
            where, when = seen[account.name]
            p.out(f"{account.name[:16]:<16} {'pts/0':<8} {where:<42} {local(p, when):%a %b %e %H:%M:%S %z %Y}\n")
        elif "t" not in options:
            p.out(f"{account.name[:16]:<16} {'':<51} **Never logged in**\n")
    return 0


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


def mounts(p: Process) -> list[tuple[str, str, str, str]]:
    """Source, folder, type, options: as /proc/mounts."""
    try:
        text = p.fs.read("/proc/mounts").decode("utf-8", "replace")
        return [(row[0], row[1], row[2], row[3]) for line in text.splitlines() if len(row := line.split()) >= 4]
    except OSError:
        return [("/dev/sda1", "/", "ext4", "rw,relatime,errors=remount-ro"), ("proc", "/proc", "proc", "rw,nosuid,nodev,noexec,relatime")]


async def df(p: Process) -> int:
    options = parse(p, "aB:hHiklmPtTvx:", "all:a block-size=:B human-readable:h si:H inodes:i kibibytes:k local:l portability:P print-type:T total type=:t exclude-type=:x output=?", status=1)
    used, total = disk(p)
    memory_size = p.host.persona.hardware.memory_kb * 512
    rows = []
    status = 0
    for source, folder, kind, _ in mounts(p):
        if kind in ("ext4", "xfs", "overlay", "squashfs"):
            rows.append((source, kind, total, used, folder))
        elif kind in ("tmpfs", "devtmpfs"):
            size = memory_size if folder in ("/dev", "/dev/shm") else 5 << 20 if folder == "/run/lock" else memory_size // 5
            name = {"devtmpfs": "udev"}.get(kind, "tmpfs")
            rows.append((name, kind, size, 1 << 20 if folder == "/run" else 0, folder))
    if options.operands:
        chosen = []
        for name in options.operands:
            try:
                p.fs.stat(p.path(name))
            except OSError as error:
                complain(p, f"{name}: {strerror(error)}")
                status = 1
                continue
            path = p.path(name)
            fitting = [row for row in rows if row[4] == "/" or path == row[4] or path.startswith(row[4] + "/")]
            chosen.append(max(fitting, key=lambda row: len(row[4])))
        rows = chosen
        if not rows:
            return status
    if "t" in options:
        rows = [row for row in rows if row[1] == options.text("t")]
    show_table(p, rows, options)
    return status


def show_table(p: Process, rows: list[tuple[str, str, int, int, str]], options: object) -> None:
    from .options import Options

    assert isinstance(options, Options)
    easy = options.any("hH")
    table = [["Filesystem", *(["Type"] if "T" in options else [])]]
    size_head = "Size" if easy else "1024-blocks" if "P" in options else "1M-blocks" if "m" in options else "1K-blocks"
    heads = ["Inodes", "IUsed", "IFree", "IUse%"] if "i" in options else [size_head, "Used", "Avail" if easy else "Available", "Capacity" if "P" in options else "Use%"]
    table[0] += [*heads, "Mounted on"]
    for source, kind, total, used, folder in rows:
        if "i" in options:
            total, used = total // 16384, max(1, used // 40000)
        spare = total // 20 if kind == "ext4" and "i" not in options else 0
        left = max(0, total - used - spare)
        part = -(-used * 100 // max(1, used + left))

        def told(value: int) -> str:
            if "i" in options:
                return str(value)
            return human(value, 1000 if "H" in options else 1024) if easy else str(value // (1 << 20 if "m" in options else 1024))

        table.append([source, *([kind] if "T" in options else []), told(total), told(used), told(left), f"{part}%", folder])
    count = len(table[0])
    minimum = [14, *([4] if "T" in options else []), 5, 5, 5, 4, 0]
    widths = [max(minimum[i], *(len(row[i]) for row in table)) for i in range(count)]
    texts = 2 if "T" in options else 1
    for row in table:
        cells = [f"{row[i]:<{widths[i]}}" if i < texts else f"{row[i]:>{widths[i]}}" for i in range(count - 1)]
        p.out(" ".join([*cells, row[-1]]) + "\n")


async def mount(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if len(p.args) == 1 or p.args[1:] == ["-l"] or p.args[1:2] == ["-t"]:
        kind = p.args[2] if p.args[1:2] == ["-t"] and len(p.args) > 2 else None
        for source, folder, type_, flags in mounts(p):
            if kind is None or type_ in kind.split(","):
                p.out(f"{source} on {folder} type {type_} ({flags})\n")
        return 0
    if p.account.uid:
        raise Usage("mount: only root can use \"--options\" option\n" if "-o" in p.args else f"mount: {(names or ['/'])[-1]}: must be superuser to use mount.\n")
    raise Usage(f"mount: {(names or ['/mnt'])[-1]}: permission denied.\n", 32)


async def umount(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if not names:
        raise Usage("umount: bad usage\nTry 'umount --help' for more information.\n")
    known = {folder for _, folder, _, _ in mounts(p)}
    for name in names:
        p.stderr.write(f"umount: {name}: {'target is busy' if name in known else 'not mounted'}.\n".encode())
    return 32


async def nproc(p: Process) -> int:
    options = parse(p, "", "all ignore=:i help version")
    p.out(f"{max(1, p.host.persona.hardware.cores - int(options.text('i', '0')))}\n")
    return 0


async def lscpu(p: Process) -> int:
    hardware, machine = p.host.persona.hardware, p.host.persona.os.kernel.machine
    amd, cores = "AMD" in hardware.cpu_model.upper(), hardware.cores
    x86 = machine in ("x86_64", "i686", "i586")
    info: dict[str, str] = {}
    for line in p.fs.read("/proc/cpuinfo").decode("utf-8", "replace").split("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        info[name.strip()] = value.strip()
    rows = [("Architecture", machine)]
    if x86:
        rows += [("CPU op-mode(s)", "32-bit, 64-bit"), ("Address sizes", info.get("address sizes", "40 bits physical, 48 bits virtual"))]
    rows += [("Byte Order", "Big Endian" if machine in ("mips", "ppc64") else "Little Endian"), ("CPU(s)", str(cores))]
    rows += [("On-line CPU(s) list", f"0-{cores - 1}" if cores > 1 else "0")]
    rows += [("Vendor ID", "AuthenticAMD" if amd else "GenuineIntel" if x86 else "ARM"), ("Model name", hardware.cpu_model)]
    if x86:
        rows += [("CPU family", info.get("cpu family", "6")), ("Model", info.get("model", "85")), ("Thread(s) per core", "1")]
        rows += [("Core(s) per socket", str(cores)), ("Socket(s)", "1"), ("Stepping", info.get("stepping", "1")), ("BogoMIPS", info.get("bogomips", "5200.00"))]
        rows += [("Flags", info.get("flags", ""))]
    else:
        rows += [("Thread(s) per core", "1"), ("Core(s) per socket", str(cores)), ("Socket(s)", "1")]
    rows += [("NUMA node(s)", "1"), ("NUMA node0 CPU(s)", f"0-{cores - 1}" if cores > 1 else "0")]
    p.out("".join(f"{name + ':':<40} {value}\n" for name, value in rows))
    return 0


async def lsblk(p: Process) -> int:
    if any(word in ("-h", "--help") for word in p.args[1:]):
        p.out("\nUsage:\n lsblk [options] [<device> ...]\n\nList information about block devices.\n")
        return 0
    _, total = disk(p)
    size = human(total + total // 40)
    disk_name = next((source.removeprefix("/dev/").rstrip("0123456789") for source, folder, *_ in mounts(p) if folder == "/" and source.startswith("/dev/")), "sda")
    p.out(f"NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n{disk_name:<6}   8:0    0 {size:>5}  0 disk \n└─{disk_name}1   8:1    0 {human(total):>5}  0 part /\n")
    return 0


async def lsmod(p: Process) -> int:
    p.out("Module                  Size  Used by\n")
    for line in p.fs.read("/proc/modules").decode().splitlines():
        name, size, used, by = line.split()[:4]
        p.out(f"{name:<20} {size:>8}  {used}{' ' + by.rstrip(',') if by != '-' else ''}\n")
    return 0


async def dmesg(p: Process) -> int:
    if p.account.uid:
        raise Usage("dmesg: read kernel buffer failed: Operation not permitted\n")
    persona = p.host.persona
    kernel = persona.os.kernel
    lines = [
        f"Linux version {kernel.release} {kernel.build}",
        f"Command line: BOOT_IMAGE=/boot/vmlinuz-{kernel.release} root=/dev/sda1 ro quiet",
        f"DMI: {persona.hardware.vendor}",
        f"Memory: {memory(p)['MemTotal']}K available",
        f"smpboot: CPU0: {persona.hardware.cpu_model}",
        f"smp: Brought up 1 node, {persona.hardware.cores} CPUs",
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.",
        f"systemd[1]: Hostname set to <{persona.hostname}>.",
    ]
    moment = 0.0
    for line in lines:
        p.out(f"[{moment:12.6f}] {line}\n")
        moment += 0.1 + p.host.random(line) / 2
    return 0


COMMANDS = {
    **{"uptime": uptime, "w": w, "who": who, "users": users_, "last": last, "lastlog": lastlog, "free": free, "top": top},
    **{"df": df, "mount": mount, "umount": umount, "nproc": nproc, "lscpu": lscpu, "lsblk": lsblk, "lsmod": lsmod, "dmesg": dmesg},
}
__all__ = ["COMMANDS", "datetime"]
