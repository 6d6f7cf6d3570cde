"""cp, mv, install."""

from __future__ import annotations

import errno
import os
import posixpath
import stat as modes
from typing import TYPE_CHECKING

from .files import exists, is_folder
from .modes import changed_mode
from .names import group, user
from .options import Options, Usage, complain, parse, refuse
from .wording import quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process

LONG = (
    "archive:a backup=? force:f interactive:i link:l dereference:L no-clobber:n no-dereference:P preserve=? no-preserve= "
    "parents recursive:r symbolic-link:s strip-trailing-slashes target-directory=:t no-target-directory:T update=?:u verbose:v "
    "reflink=? remove-destination sparse= help version"
)


def targets(p: Process, options: Options) -> tuple[list[str], str, bool]:
    """Sources, where to, and whether that is a folder to put them in."""
    names = list(options.operands)
    if "t" in options:
        return names, options.text("t"), True
    if not names:
        raise refuse(p, "missing file operand")
    if len(names) == 1:
        raise refuse(p, f"missing destination file operand after {quoted(names[0])}")
    target = names.pop()
    folder = "T" not in options and is_folder(p, target)
    if len(names) > 1 and not folder:
        if exists(p, target):
            raise Usage(f"{p.args[0]}: target {quoted(target)}: Not a directory\n")
        raise Usage(f"{p.args[0]}: target {quoted(target)}: No such file or directory\n")
    return names, target, folder


async def cp(p: Process) -> int:
    options = parse(p, "abdfHilLnprRsS:t:TuvxPZ", LONG)
    names, target, folder = targets(p, options)
    status = 0
    for source in names:
        name = f"{target.rstrip('/')}/{posixpath.basename(source.rstrip('/')) or ''}" if folder else target
        status |= copy(p, source, name, options)
    return status


def copy(p: Process, source: str, name: str, options: Options, top: bool = True) -> int:
    deep = options.any("arR")
    keep_links = options.any("aPd") or deep and "L" not in options
    try:
        stat = p.fs.stat(p.path(source), follow=not (keep_links and (not top or options.any("aPd"))))
    except OSError as error:
        complain(p, f"cannot stat {quoted(source)}: {strerror(error)}")
        return 1
    if modes.S_ISDIR(stat.mode):
        if not deep:
            complain(p, f"-r not specified; omitting directory {quoted(source)}")
            return 1
        return copy_folder(p, source, name, options, stat.mode)
    try:
        old = p.fs.stat(p.path(name))
        if "n" in options or "u" in options and old.mtime >= stat.mtime:
            return 0
        if modes.S_ISDIR(old.mode):
            complain(p, f"cannot overwrite directory {quoted(name)} with non-directory {quoted(source)}")
            return 1
        if posixpath.normpath(p.path(name)) == posixpath.normpath(p.path(source)):
            complain(p, f"{quoted(source)} and {quoted(name)} are the same file")
            return 1
    except OSError:
        pass
    try:
        if modes.S_ISLNK(stat.mode):
            if exists(p, name):
                p.fs.unlink(p.path(name))
            p.fs.symlink(stat.target or "", p.path(name))
        else:
            try:
                data = p.fs.read(p.path(source))
            except OSError as error:
                complain(p, f"cannot open {quoted(source)} for reading: {strerror(error)}")
                return 1
            if name != "/dev/null":
                new = not exists(p, name, True)
                if name.endswith("/"):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                p.fs.write(p.path(name), data, mode=stat.mode & 0o777 & ~p.umask)
                kept(p, name, stat.mode, stat.mtime, stat.uid, stat.gid, options, new)
    except OSError as error:
        complain(p, f"cannot create regular file {quoted(name)}: {strerror(error)}")
        return 1
    if "v" in options:
        p.out(f"{quoted(source)} -> {quoted(name)}\n")
    return 0


def kept(p: Process, name: str, mode: int, mtime: float, uid: int, gid: int, options: Options, new: bool) -> None:
    path = p.path(name)
    if options.any("ap") or "preserve" in options:
        p.fs.utime(path, mtime)
        try:
            p.fs.chown(path, uid, gid)
        except PermissionError:
            pass
        p.fs.chmod(path, mode & 0o7777)
    elif new:
        p.fs.chmod(path, mode & 0o777 & ~p.umask)


def copy_folder(p: Process, source: str, name: str, options: Options, mode: int) -> int:
    inside, outside = posixpath.normpath(p.path(name)), posixpath.normpath(p.path(source))
    if inside == outside or inside.startswith(outside.rstrip("/") + "/"):
        complain(p, f"cannot copy a directory, {quoted(source)}, into itself, {quoted(name)}")
        return 1
    try:
        if exists(p, name, True) and not is_folder(p, name):
            complain(p, f"cannot overwrite non-directory {quoted(name)} with directory {quoted(source)}")
            return 1
        if not exists(p, name):
            p.fs.mkdir(p.path(name), mode & 0o777 & ~p.umask)
        children = p.fs.listdir(p.path(source))
    except OSError as error:
        verb = "access" if exists(p, name) else "create directory"
        complain(p, f"cannot {verb} {quoted(name if verb != 'access' else source)}: {strerror(error)}")
        return 1
    if "v" in options:
        p.out(f"{quoted(source)} -> {quoted(name)}\n")
    status = 0
    for child in children:
        status |= copy(p, f"{source.rstrip('/')}/{child}", f"{name.rstrip('/')}/{child}", options, top=False)
    return status


async def mv(p: Process) -> int:
    options = parse(p, "bfinS:t:TuvZ", LONG)
    names, target, folder = targets(p, options)
    status = 0
    for source in names:
        name = f"{target.rstrip('/')}/{posixpath.basename(source.rstrip('/'))}" if folder else target
        old, new = p.path(source.rstrip("/") or "/"), p.path(name)
        try:
            try:
                stat = p.fs.stat(old, follow=False)
            except OSError as error:
                complain(p, f"cannot stat {quoted(source)}: {strerror(error)}")
                status = 1
                continue
            if posixpath.normpath(old) == posixpath.normpath(new):
                complain(p, f"{quoted(source)} and {quoted(name)} are the same file")
                status = 1
                continue
            if modes.S_ISDIR(stat.mode) and (posixpath.normpath(new) + "/").startswith(posixpath.normpath(old) + "/"):
                complain(p, f"cannot move {quoted(source)} to a subdirectory of itself, {quoted(name)}")
                status = 1
                continue
            if "n" in options and exists(p, name):
                continue
            if exists(p, name) and is_folder(p, name, False) and not modes.S_ISDIR(stat.mode):
                complain(p, f"cannot overwrite directory {quoted(name)} with non-directory")
                status = 1
                continue
            try:
                p.fs.rename(old, new)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                status |= await across(p, source, name)
        except OSError as error:
            complain(p, f"cannot move {quoted(source)} to {quoted(name)}: {strerror(error)}")
            status = 1
            continue
        if "v" in options:
            p.out(f"renamed {quoted(source)} -> {quoted(name)}\n")
    return status


async def across(p: Process, source: str, name: str) -> int:
    """To another file system: a copy, then the source goes."""
    from .removal import remove

    status = copy(p, source, name, Options([("a", "")], []))
    return status or await remove(p, source, Options([("f", "")], []), True)


async def install(p: Process) -> int:
    options = parse(p, "bcCdDg:m:o:pst:Tv", LONG + " directory:d mode=:m owner=:o group=:g")
    mode = changed_mode(options.text("m", "755"), 0, False, 0)
    if "d" in options:
        from .files import make_parents

        for name in options.operands:
            make_parents(p, name, "v" in options, mode)
        return 0
    names, target, folder = targets(p, options)
    status = 0
    for source in names:
        name = f"{target.rstrip('/')}/{posixpath.basename(source)}" if folder else target
        if copy(p, source, name, Options([], [])):
            status = 1
            continue
        p.fs.chmod(p.path(name), mode)
        owner, owners = user(p.fs, options.text("o")), group(p.fs, options.text("g"))
        if owner or owners:
            p.fs.chown(p.path(name), owner.uid if owner else -1, owners.gid if owners else -1)
    return status


COMMANDS = {"cp": cp, "mv": mv, "install": install}
