"""Disks and what is mounted: df mount umount lsblk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .listing_rows import human
from .load import disk
from .options import Usage, complain, parse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


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


async def lsblk(p: Process) -> int:
    if any(word in ("-h", "--help") for word in p.args[1:]):
        p.out("\nUsage:\n lsblk [options] [<device> ...]\n\nList information about block devices.\n")
        return 0
    _, total = disk(p)
    size = human(total + total // 40)
    disk_name = next((source.removeprefix("/dev/").rstrip("0123456789") for source, folder, *_ in mounts(p) if folder == "/" and source.startswith("/dev/")), "sda")
    p.out(f"NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n{disk_name:<6}   8:0    0 {size:>5}  0 disk \n└─{disk_name}1   8:1    0 {human(total):>5}  0 part /\n")
    return 0


COMMANDS = {"df": df, "mount": mount, "umount": umount, "lsblk": lsblk}
