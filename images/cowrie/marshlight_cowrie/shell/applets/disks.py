"""What is mounted and how full it is: df mount umount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..commands.disks import mounts
from ..commands.load import disk, memory
from ..commands.options import parse
from ..commands.wording import strerror
from .figures import human
from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process

#: They hold nothing, and df shows them only when asked for all.
EMPTY = ("proc", "sysfs", "devpts", "debugfs", "cgroup2", "cgroup", "bpf", "pstore", "securityfs", "autofs", "mqueue", "tracefs", "fusectl", "configfs")


async def df(p: Process) -> int:
    options = parse(p, "PkmhTaiB:t:")
    unit = 1 << 20 if "m" in options else 1024
    rows, status = table(p), 0
    if options.operands:
        chosen = []
        for name in options.operands:
            path = p.path(name).rstrip("/") or "/"
            try:
                p.fs.stat(path)
            except OSError as error:
                p.stderr.write(f"df: {name}: {'can' + chr(39) + 't find mount point' if error.errno == 2 else strerror(error)}\n".encode("utf-8", "surrogateescape"))
                status = 1
                continue
            fitting = [row for row in rows if row[1] in ("/", path) or path.startswith(row[1] + "/")]
            if fitting:
                chosen.append(max(fitting, key=lambda row: len(row[1])))
        rows = chosen
    head = "     Size" if "h" in options else "1M-blocks" if "m" in options else "1024-blocks" if "P" in options else "1K-blocks"
    kind = f"{'Type':<11}" if "T" in options else ""
    p.out(f"{'Filesystem':<20} {kind}{head:>9}      Used Available {'Capacity' if 'P' in options else 'Use%'} Mounted on\n")
    for source, folder, type_, used, total in rows:
        if type_ in EMPTY and "a" not in options:
            continue
        left = total - used

        def told(value: int) -> str:
            return human(value) if "h" in options else str(value // unit)

        part = (used * 100 + (used + left) // 2) // (used + left) if total else 0
        name = source if len(source) <= 20 or "P" in options else f"{source}\n{'':<20}"
        kind = f"{type_:<10} " if "T" in options else ""
        p.out(f"{name:<20} {kind}{told(total):>9} {told(used):>9} {told(left):>9} {part:3d}% {folder}\n")
    return status


def table(p: Process) -> list[tuple[str, str, str, int, int]]:
    """Source, folder, type, bytes used, bytes in all."""
    used, total = disk(p)
    known = memory(p)
    half = known["MemTotal"] * 512
    rows = []
    for source, folder, kind, _ in mounts(p):
        if kind in EMPTY:
            rows.append((source, folder, kind, 0, 0))
        elif kind in ("tmpfs", "devtmpfs", "ramfs"):
            rows.append((source, folder, kind, known["Shmem"] * 1024 if folder in ("/tmp", "/run") else 0, 512 << 10 if folder == "/dev" else half))
        elif kind == "squashfs":
            size = total * 3 // 10 // 131072 * 131072
            rows.append((source, folder, kind, size, size))
        else:
            rows.append((source, folder, kind, used, total))
    return rows


async def mount(p: Process) -> int:
    options = parse(p, "aflriswvnt:o:O:T:")
    if not options.operands:
        kind = options.value("t")
        for source, folder, type_, flags in mounts(p):
            if kind is None or type_ in kind.split(","):
                p.out(f"{source} on {folder} type {type_} ({flags})\n")
        return 0
    if p.account.uid:
        p.stderr.write(b"mount: permission denied (are you root?)\n")
        return 1
    flags = ",".join(options.values("o")).split(",")
    known = {folder for _, folder, _, _ in mounts(p)} | {source for source, *_ in mounts(p)}
    if len(options.operands) == 1:
        name = options.operands[0]
        if "remount" in flags and name in known:
            return 0
        p.stderr.write(f"mount: can't find {name} in /proc/mounts\n".encode("utf-8", "surrogateescape"))
        return 1
    source, folder = options.operands[:2]
    if folder in known and "remount" in flags:
        return 0
    why = ""
    if not there(p, folder) or source.startswith("/") and not there(p, source):
        why = "No such file or directory"
    elif source.startswith("/dev/") or "bind" not in flags and source.startswith("/"):
        why = "Invalid argument"
    if why:
        p.stderr.write(f"mount: mounting {source} on {folder} failed: {why}\n".encode("utf-8", "surrogateescape"))
        return 255
    return 0


async def umount(p: Process) -> int:
    options = parse(p, "arldfnt:O:i")
    if not options.operands and "a" not in options:
        raise refusal(p, "umount")
    if p.account.uid:
        p.stderr.write(b"umount: can't unmount: Operation not permitted\n")
        return 1
    known = {folder for _, folder, _, _ in mounts(p)}
    status = 0
    for name in options.operands:
        why = "Device or resource busy" if name in known else "Invalid argument" if there(p, name) else "No such file or directory"
        if name in known and "l" in options:
            continue
        p.stderr.write(f"umount: can't unmount {name}: {why}\n".encode("utf-8", "surrogateescape"))
        status = 1
    return status


def there(p: Process, name: str) -> bool:
    try:
        p.fs.stat(p.path(name))
    except OSError:
        return False
    return True


COMMANDS = {"df": df, "mount": mount, "umount": umount}
