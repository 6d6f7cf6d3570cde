"""What a file is: stat and file."""

from __future__ import annotations

import re
import stat as modes
from typing import TYPE_CHECKING

from .listing_rows import blocks_of, device_numbers
from .names import group_name, user_name
from .options import complain, parse, refuse
from .times import local
from .wording import quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process

KINDS = ((modes.S_ISDIR, "directory"), (modes.S_ISLNK, "symbolic link"), (modes.S_ISCHR, "character special file"), (modes.S_ISBLK, "block special file"), (modes.S_ISFIFO, "fifo"), (modes.S_ISSOCK, "socket"))


def kind_of(mode: int, size: int) -> str:
    return next((name for test, name in KINDS if test(mode)), "regular file" if size else "regular empty file")


async def stat(p: Process) -> int:
    options = parse(p, "Lfc:t", "dereference:L file-system:f format=:c printf=:P terse:t cached=")
    if not options.operands:
        raise refuse(p, "missing operand")
    status = 0
    for name in options.operands:
        try:
            node = p.fs.stat(p.path(name), follow="L" in options)
        except OSError as error:
            complain(p, f"cannot statx {quoted(name)}: {strerror(error)}")
            status = 1
            continue
        owner, group = user_name(p.fs, node.uid), group_name(p.fs, node.gid)
        perm = f"{node.mode & 0o7777:04o}"
        blocks = blocks_of(node) * 2

        def moment(seconds: float) -> str:
            then = local(p, seconds)
            return then.strftime("%Y-%m-%d %H:%M:%S.") + f"{then.microsecond:06d}000" + then.strftime(" %z")

        if "c" in options or "P" in options:
            values = {
                "n": name, "N": f"{quoted(name)} -> {quoted(node.target)}" if node.target else quoted(name), "a": perm.lstrip("0") or "0",
                "A": modes.filemode(node.mode), "u": str(node.uid), "U": owner, "g": str(node.gid), "G": group, "s": str(node.size),
                "F": kind_of(node.mode, node.size), "i": str(node.inode), "h": str(node.links), "Y": str(int(node.mtime)), "y": moment(node.mtime),
                "X": str(int(node.mtime)), "x": moment(node.mtime), "Z": str(int(node.ctime)), "z": moment(node.ctime), "W": "0", "w": "-",
                "b": str(blocks), "B": "512", "o": "4096", "f": f"{node.mode:x}", "d": "2049", "D": "801", "m": "/", "t": "0", "T": "0", "%": "%",
            }  # fmt: skip
            form = options.text("c") if "c" in options else options.text("P").encode().decode("unicode_escape")
            p.out(re.sub(r"%[-0 #+]*\d*(.)", lambda found, values=values: values.get(found[1], "?"), form) + ("\n" if "c" in options else ""))
            continue
        size = 0 if modes.S_ISCHR(node.mode) else node.size
        device = f"     Device type: {device_numbers(name).replace(' ', '')}" if modes.S_ISCHR(node.mode) else ""
        link = f" -> {node.target}" if node.target and modes.S_ISLNK(node.mode) else ""
        p.out(
            f"  File: {name}{link}\n  Size: {size:<15}\tBlocks: {blocks:<10} IO Block: 4096   {kind_of(node.mode, node.size)}\n"
            f"Device: 8,1\tInode: {node.inode:<11} Links: {node.links}{device}\n"
            f"Access: ({perm}/{modes.filemode(node.mode)})  Uid: ({node.uid:5d}/{owner:>8})   Gid: ({node.gid:5d}/{group:>8})\n"
            f"Access: {moment(node.mtime)}\nModify: {moment(node.mtime)}\nChange: {moment(node.ctime)}\n Birth: {moment(node.ctime)}\n"
        )
    return status


async def file(p: Process) -> int:
    options = parse(p, "bf:hikLrszNv", "brief:b mime-type mime:i no-buffer dereference:L version:v")
    width = max((len(name) for name in options.operands), default=0)
    for name in options.operands:
        try:
            node = p.fs.stat(p.path(name), follow="L" in options)
            said = described(p, name, node.mode, node.size, node.target)
        except OSError as error:
            said = f"cannot open `{name}' ({strerror(error)})"
        p.out(said + "\n" if "b" in options else f"{name}:{' ' * (width - len(name) + 1)}{said}\n")
    return 0


def described(p: Process, name: str, mode: int, size: int, target: str | None) -> str:
    if modes.S_ISDIR(mode):
        return "sticky, directory" if mode & 0o1000 else "directory"
    if modes.S_ISLNK(mode):
        return f"symbolic link to {target}"
    if not modes.S_ISREG(mode):
        return f"{kind_of(mode, size).removesuffix(' file')} ({device_numbers(name).replace(', ', '/').replace(' ', '')})"
    data = p.fs.read(p.path(name))[:4096]
    if not data:
        return "empty"
    if data[:4] == b"\x7fELF":
        bits = "64-bit" if data[4] == 2 else "32-bit"
        order = "LSB" if data[5] == 1 else "MSB"
        machine = {62: "x86-64", 3: "Intel 80386", 40: "ARM", 183: "ARM aarch64", 8: "MIPS"}.get(int.from_bytes(data[18:20], "little" if data[5] == 1 else "big"), "unknown")
        return f"ELF {bits} {order} pie executable, {machine}, version 1 (SYSV), dynamically linked, interpreter /lib64/ld-linux-x86-64.so.2, for GNU/Linux 3.2.0, stripped"
    if data[:2] == b"#!":
        program = data[2:].split(b"\n")[0].strip().decode("latin1")
        shell = {"/bin/sh": "POSIX shell script", "/bin/bash": "Bourne-Again shell script"}.get(program.split(" ")[0], f"a {program} script")
        return f"{shell}, ASCII text executable"
    if data[:2] == b"\x1f\x8b":
        return "gzip compressed data"
    if data[:4] == b"PK\x03\x04":
        return "Zip archive data, at least v2.0 to extract"
    try:
        data.decode("ascii")
        return "ASCII text" + (", with no line terminators" if b"\n" not in data else "") if b"\0" not in data else "data"
    except UnicodeDecodeError:
        pass
    try:
        data.decode("utf-8")
        return "Unicode text, UTF-8 text"
    except UnicodeDecodeError:
        return "data"


COMMANDS = {"stat": stat, "file": file}
