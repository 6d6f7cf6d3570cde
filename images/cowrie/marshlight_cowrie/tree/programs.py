"""
The bytes of programs, which no tree stores.

A decoy is itself a small Debian: what stands there under the same name with the same size is the program, to the last
byte. For everything else, and on other processors, the file begins as the linker would have it begin (ELF header,
program headers, interpreter) and goes on with bytes drawn from its name: the same at every visit.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import struct
from collections.abc import Callable

MOST = 64 << 20
#: e_machine, bits, big-endian, e_flags, interpreter. ELF's numbers are those of the processor supplements of the gABI.
MACHINES: dict[str, tuple[int, int, bool, int, str]] = {
    "x86_64": (62, 64, False, 0, "/lib64/ld-linux-x86-64.so.2"),
    "aarch64": (183, 64, False, 0, "/lib/ld-linux-aarch64.so.1"),
    "armv7l": (40, 32, False, 0x5000400, "/lib/ld-linux-armhf.so.3"),
    "armv6l": (40, 32, False, 0x5000400, "/lib/ld-linux-armhf.so.3"),
    "armv5tejl": (40, 32, False, 0x5000200, "/lib/ld-uClibc.so.0"),
    "i686": (3, 32, False, 0, "/lib/ld-linux.so.2"),
    "i586": (3, 32, False, 0, "/lib/ld-linux.so.2"),
    "mips": (8, 32, True, 0x70001007, "/lib/ld-musl-mips-sf.so.1"),
    "mipsel": (8, 32, False, 0x70001007, "/lib/ld-musl-mipsel-sf.so.1"),
    "mips64": (8, 64, True, 0x80000007, "/lib64/ld.so.1"),
    "ppc64le": (21, 64, False, 2, "/lib64/ld64.so.2"),
    "ppc": (20, 32, True, 0, "/lib/ld.so.1"),
    "riscv64": (243, 64, False, 5, "/lib/ld-linux-riscv64-lp64d.so.1"),
    "s390x": (22, 64, True, 0, "/lib/ld64.so.1"),
}
OWN = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/")


def maker(machine: str, seed: str) -> Callable[[str, int], bytes]:
    """Contents by path and size."""
    own = machine == platform.machine()

    def make(path: str, size: int) -> bytes:
        found = of_this_machine(path, size) if own else None
        return generated(path, size, machine, seed) if found is None else found

    return make


def of_this_machine(path: str, size: int) -> bytes | None:
    """Only what packages install, only regular files, and only of the very size: nothing of the decoy itself."""
    if not path.startswith(OWN) or "/../" in path:
        return None
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with open(file, "rb") as contents:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size or size > MOST or found.st_uid != 0:
            return None
        return contents.read(size)


def generated(path: str, size: int, machine: str, seed: str) -> bytes:
    size = min(size, MOST)
    name = path.rsplit("/", 1)[-1]
    if name.endswith(".gz"):
        head = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\x03"
    elif is_elf(path):
        head = elf(machine, size, shared=".so" in name, name=name)
    else:
        head = b""
    body = hashlib.shake_128(f"{seed} {path}".encode("utf-8", "surrogateescape")).digest(max(0, size - len(head)))
    return (head + body)[:size]


def is_elf(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return "/bin/" in path or "/sbin/" in path or ".so" in name or name.endswith(".ko") or "/libexec/" in path


def elf(machine: str, size: int, *, shared: bool, name: str) -> bytes:
    number, bits, big, flags, interpreter = MACHINES.get(machine, MACHINES["x86_64"])
    order, word = (">" if big else "<"), ("Q" if bits == 64 else "I")
    wide = bits == 64
    head, row, section = (64, 56, 64) if wide else (52, 32, 40)
    text = interpreter.encode() + b"\0"
    at = head + row * 4
    identity = b"\x7fELF" + bytes((2 if wide else 1, 2 if big else 1, 1)) + bytes(9)
    sections_at = max(at, (size - 29 * section) & ~7)
    entry = 0x1000 + (len(name) * 0x2B0 & 0xFFF0)
    # A position-independent program and a library are both ET_DYN (3); the interpreter tells them apart.
    header = struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH",
        *(3, number, 1, 0 if shared else entry, head, sections_at, flags, head, row, 4, section, 29, 28),
    )

    def program(kind: int, rights: int, offset: int, length: int, align: int) -> bytes:
        if wide:
            return struct.pack(f"{order}IIQQQQQQ", kind, rights, offset, offset, offset, length, length, align)
        return struct.pack(f"{order}IIIIIIII", kind, offset, offset, offset, length, length, rights, align)

    rows = [
        program(6, 4, head, row * 4, 8),
        program(1, 4, 0, min(size, 0x1000), 0x1000),
        program(1, 5, 0x1000, max(0, size - 0x1000), 0x1000),
    ]
    rows.insert(1, program(4, 4, at, len(text), 4) if shared else program(3, 4, at, len(text), 1))
    return identity + header + b"".join(rows) + (b"" if shared else text)
