"""/dev as devtmpfs and udev leave it on a machine with one disk. Numbers: the kernel's admin-guide/devices.txt."""

from __future__ import annotations

import stat as st

CHARACTER = {
    "console": (5, 1, 0o600, 5),
    "full": (1, 7, 0o666, 0),
    "kmsg": (1, 11, 0o644, 0),
    "mem": (1, 1, 0o640, 9),
    "null": (1, 3, 0o666, 0),
    "port": (1, 4, 0o640, 9),
    "ptmx": (5, 2, 0o666, 5),
    "random": (1, 8, 0o666, 0),
    "rtc0": (252, 0, 0o600, 0),
    "tty": (5, 0, 0o666, 5),
    "tty0": (4, 0, 0o620, 5),
    "tty1": (4, 1, 0o620, 5),
    "tty2": (4, 2, 0o620, 5),
    "ttyS0": (4, 64, 0o660, 20),
    "urandom": (1, 9, 0o666, 0),
    "watchdog": (10, 130, 0o600, 0),
    "zero": (1, 5, 0o666, 0),
}
BLOCK = {"sda": (8, 0, 0o660, 6), "sda1": (8, 1, 0o660, 6), "sda2": (8, 2, 0o660, 6)}
FLASH = {"mtdblock0": (31, 0, 0o600, 0), "mtdblock1": (31, 1, 0o600, 0), "mtdblock2": (31, 2, 0o600, 0)}
LINKS = {
    "core": "/proc/kcore",
    "fd": "/proc/self/fd",
    "rtc": "rtc0",
    "stderr": "/proc/self/fd/2",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
}
FOLDERS = {"pts": 0o755, "shm": 0o1777, "mqueue": 0o1777, "input": 0o755, "net": 0o755}


def nodes(*, flash: bool) -> list[tuple[str, int, int, bytes]]:
    """Path, mode with type bits, gid, data."""
    made = [(f"/dev/{name}", st.S_IFDIR | mode, 0, b"") for name, mode in FOLDERS.items()]
    for kind, table in ((st.S_IFCHR, CHARACTER), (st.S_IFBLK, FLASH if flash else BLOCK)):
        for name, (major, minor, mode, gid) in table.items():
            made.append((f"/dev/{name}", kind | mode, gid, number(major, minor)))
    made.append(("/dev/net/tun", st.S_IFCHR | 0o666, 0, number(10, 200)))
    made.extend((f"/dev/{name}", st.S_IFLNK | 0o777, 0, target.encode()) for name, target in LINKS.items())
    return made


def number(major: int, minor: int) -> bytes:
    return major.to_bytes(2, "big") + minor.to_bytes(2, "big")
