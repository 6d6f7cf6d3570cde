"""Taking away: rm rmdir shred."""

from __future__ import annotations

import errno
import os
import posixpath
import stat as modes
from typing import TYPE_CHECKING

from .files import told
from .options import Options, complain, parse, refuse
from .wording import if_needed, quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process

#: What a shredded file is filled with at most; the rest of it is gone all the same.
MOST = 16 << 20


async def rmdir(p: Process) -> int:
    options = parse(p, "pv", "ignore-fail-on-non-empty parents:p verbose:v")
    if not options.operands:
        raise refuse(p, "missing operand")
    status = 0
    for name in options.operands:
        each = name
        while each and each not in ("/", "."):
            try:
                told(p, options, f"removing directory, {quoted(each)}")
                p.fs.rmdir(p.path(each))
            except OSError as error:
                if error.errno != errno.ENOTEMPTY or "ignore-fail-on-non-empty" not in options:
                    complain(p, f"failed to remove {quoted(each)}: {strerror(error)}")
                    status = 1
                break
            each = posixpath.dirname(each.rstrip("/")) if "p" in options else ""
    return status


async def rm(p: Process) -> int:
    options = parse(
        p,
        "dfiIrRv",
        "dir:d force:f interactive=? recursive:r verbose:v one-file-system no-preserve-root preserve-root=? help version",
    )
    if not options.operands:
        if "f" in options:
            return 0
        raise refuse(p, "missing operand")
    deep = options.any("rR")
    status = 0
    for name in options.operands:
        base = posixpath.basename(name.rstrip("/"))
        if deep and (posixpath.normpath(p.path(name)) == "/") and "no-preserve-root" not in options:
            complain(p, "it is dangerous to operate recursively on '/'")
            complain(p, "use --no-preserve-root to override this failsafe")
            status = 1
            continue
        if deep and base in (".", ".."):
            complain(p, f"refusing to remove '.' or '..' directory: skipping {quoted(name)}")
            status = 1
            continue
        status |= await remove(p, name, options, deep)
    return status


async def agreed(p: Process, question: str) -> bool:
    """An end of the input is a no."""
    p.stderr.write(f"rm: {question}? ".encode("utf-8", "surrogateescape"))
    return (await p.stdin.readline())[:1] in (b"y", b"Y")


async def remove(p: Process, name: str, options: Options, deep: bool) -> int:
    path = p.path(name)
    asks = options.last("fi") == "i"
    try:
        stat = p.fs.stat(path, follow=False)
        if modes.S_ISDIR(stat.mode):
            if not deep and "d" not in options:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
            status = 0
            if deep:
                children = p.fs.listdir(path)
                if asks and children and not await agreed(p, f"descend into directory {quoted(name)}"):
                    return 0
                for child in children:
                    status |= await remove(p, f"{name.rstrip('/')}/{child}", options, deep)
            if status or asks and not await agreed(p, f"remove directory {quoted(name)}"):
                return status
            p.fs.rmdir(path)
            if "v" in options:
                p.out(f"removed directory {quoted(name)}\n")
        else:
            kind = "symbolic link" if modes.S_ISLNK(stat.mode) else "regular file" if stat.size else "regular empty file"
            if asks and not await agreed(p, f"remove {kind} {quoted(name)}"):
                return 0
            p.fs.unlink(path)
            if "v" in options:
                p.out(f"removed {quoted(name)}\n")
    except FileNotFoundError as error:
        if "f" in options:
            return 0
        complain(p, f"cannot remove {quoted(name)}: {strerror(error)}")
        return 1
    except OSError as error:
        complain(p, f"cannot remove {quoted(name)}: {strerror(error)}")
        return 1
    return 0


async def shred(p: Process) -> int:
    options = parse(p, "fn:s:uvxz", "force:f iterations=:n size=:s remove=?:u verbose:v exact:x zero:z random-source= help version")
    if not options.operands:
        raise refuse(p, "missing file operand")
    status = 0
    for name in options.operands:
        path = p.path(name)
        try:
            size = p.fs.stat(path).size
            p.fs.write(path, bytes(size) if "z" in options else os.urandom(min(size, MOST)))
        except OSError as error:
            complain(p, f"{if_needed(name)}: failed to open for writing: {strerror(error)}")
            status = 1
            continue
        if "v" in options:
            passes = [*["random"] * int(options.text("n", "3") or 3), *(["000000"] if "z" in options else [])]
            for number, kind in enumerate(passes, 1):
                p.stderr.write(f"shred: {name}: pass {number}/{len(passes)} ({kind})...\n".encode("utf-8", "surrogateescape"))
        if "u" in options:
            p.fs.unlink(path)
    return status


async def unlink(p: Process) -> int:
    options = parse(p, "", "help version")
    if len(options.operands) != 1:
        raise refuse(p, "missing operand" if not options.operands else f"extra operand {quoted(options.operands[1])}")
    try:
        p.fs.unlink(p.path(options.operands[0]))
    except OSError as error:
        complain(p, f"cannot unlink {quoted(options.operands[0])}: {strerror(error)}")
        return 1
    return 0


COMMANDS = {"unlink": unlink, "rm": rm, "rmdir": rmdir, "shred": shred}
