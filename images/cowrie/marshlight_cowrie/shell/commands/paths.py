"""Names of files: basename dirname readlink realpath pwd which whereis."""

from __future__ import annotations

import errno
import os
import posixpath
from typing import TYPE_CHECKING

from .options import complain, parse, refuse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


async def basename(p: Process) -> int:
    options = parse(p, "as:z", "multiple:a suffix=:s zero:z", permute=False)
    names = options.operands
    if not names:
        raise refuse(p, "missing operand")
    suffix = options.text("s")
    if not options.any("as"):
        if len(names) > 2:
            raise refuse(p, f"extra operand ‘{names[2]}’")
        suffix = names[1] if len(names) == 2 else ""
        names = names[:1]
    for name in names:
        base = posixpath.basename(name.rstrip("/")) or ("/" if name else "")
        if suffix and base != suffix:
            base = base.removesuffix(suffix)
        p.out(base + ("\0" if "z" in options else "\n"))
    return 0


async def dirname(p: Process) -> int:
    options = parse(p, "z", "zero:z")
    if not options.operands:
        raise refuse(p, "missing operand")
    for name in options.operands:
        stripped = name.rstrip("/")
        base = stripped.rpartition("/")
        made = base[0].rstrip("/") or "/" if base[1] else "/" if name and not stripped else "."
        p.out(made + ("\0" if "z" in options else "\n"))
    return 0


def resolved(p: Process, name: str, mode: str, hops: int = 40) -> str:
    """Canonical path. `mode`: e all must be there, f all but the last, m none."""
    left = [part for part in p.path(name).split("/") if part]
    made = "/"
    while left:
        part = left.pop(0)
        if part == ".":
            continue
        if part == "..":
            made = posixpath.dirname(made)
            continue
        path = posixpath.join(made, part)
        try:
            stat = p.fs.stat(path, follow=False)
        except OSError:
            if mode == "e" or mode == "f" and left:
                raise
            made = path
            continue
        if stat.target is not None and stat.mode & 0o170000 == 0o120000:
            hops -= 1
            if hops < 0:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
            target = p.fs.readlink(path)
            if target.startswith("/"):
                made = "/"
            left = [piece for piece in target.split("/") if piece] + left
            continue
        if left and stat.mode & 0o170000 != 0o040000 and mode != "m":
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
        made = path
    return made


async def readlink(p: Process) -> int:
    options = parse(p, "efmnqsvz", "canonicalize:f canonicalize-existing:e canonicalize-missing:m no-newline:n quiet:q silent:s verbose:v zero:z")
    if not options.operands:
        raise refuse(p, "missing operand")
    status = 0
    mode = options.last("efm")
    for name in options.operands:
        try:
            made = resolved(p, name, mode) if mode else p.fs.readlink(p.path(name))
        except OSError as error:
            if "v" in options:
                complain(p, f"{name}: {strerror(error)}")
            status = 1
            continue
        p.out(made + ("" if "n" in options else "\0" if "z" in options else "\n"))
    return status


async def realpath(p: Process) -> int:
    options = parse(p, "emLPqsz", "canonicalize-existing:e canonicalize-missing:m relative-to= relative-base= quiet:q strip:s no-symlinks:s zero:z")
    if not options.operands:
        raise refuse(p, "missing operand")
    status = 0
    for name in options.operands:
        try:
            made = posixpath.normpath(p.path(name)) if "s" in options else resolved(p, name, options.last("em", "f"))
            if "relative-to" in options:
                made = posixpath.relpath(made, resolved(p, options.text("relative-to"), "m"))
        except OSError as error:
            if "q" not in options:
                complain(p, f"{name}: {strerror(error)}")
            status = 1
            continue
        p.out(made + "\n")
    return status


async def pwd(p: Process) -> int:
    p.out(p.cwd + "\n")
    return 0


async def which(p: Process) -> int:
    names = [word for word in p.args[1:] if word not in ("-a", "-s")]
    if any(name.startswith("-") for name in names):
        p.stderr.write(b"Illegal option " + names[0].encode()[:2] + b"\nUsage: /usr/bin/which [-as] args\n")
        return 2
    status = 0 if names else 1
    for name in names:
        places = find_in_path(p, name)
        if not places:
            status = 1
        for place in places if "-a" in p.args else places[:1]:
            p.out(place + "\n")
    return status


def find_in_path(p: Process, name: str) -> list[str]:
    if "/" in name:
        return [name] if executable(p, p.path(name)) else []
    found = [f"{folder.rstrip('/')}/{name}" for folder in (p.env.get("PATH") or "/usr/bin:/bin").split(":")]
    return [path for path in found if executable(p, path)]


def executable(p: Process, path: str) -> bool:
    try:
        return p.fs.stat(path).mode & 0o170000 == 0o100000 and p.fs.access(path, execute=True)
    except OSError:
        return False


async def whereis(p: Process) -> int:
    options = parse(p, "bBmMsSuflgh")
    for name in options.operands:
        base = name.rsplit("/", 1)[-1]
        found = []
        for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib", "/etc", "/usr/include"):
            try:
                p.fs.stat(f"{folder}/{base}")
            except OSError:
                continue
            found.append(f"{folder}/{base}")
        if "b" not in options:
            for section in "18":
                page = f"/usr/share/man/man{section}/{base}.{section}.gz"
                try:
                    p.fs.stat(page)
                    found.append(page)
                except OSError:
                    continue
        p.out(f"{base}:{''.join(f' {path}' for path in found)}\n")
    return 0


COMMANDS = {"basename": basename, "dirname": dirname, "readlink": readlink, "realpath": realpath, "pwd": pwd, "which": which, "whereis": whereis}
