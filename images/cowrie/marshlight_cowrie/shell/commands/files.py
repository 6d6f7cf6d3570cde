"""Making: mkdir touch ln mktemp truncate."""

from __future__ import annotations

import errno
import os
import posixpath
import random
import stat as modes
import string
from typing import TYPE_CHECKING

from .dates import BadDate, read_date
from .modes import BadMode, changed_mode
from .options import Options, complain, parse, refuse
from .wording import quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process


async def mkdir(p: Process) -> int:
    options = parse(p, "m:pvZ", "mode=:m parents:p verbose:v context=? help version")
    if not options.operands:
        raise refuse(p, "missing operand")
    mode = 0o777 & ~p.umask
    if "m" in options:
        try:
            mode = changed_mode(options.text("m"), 0o777, True, p.umask)
        except BadMode:
            raise refuse(p, f"invalid mode {quoted(options.text('m'))}", hint=False) from None
    status = 0
    for name in options.operands:
        try:
            if "p" in options:
                make_parents(p, name, "v" in options, mode)
            else:
                p.fs.mkdir(p.path(name), mode)
                told(p, options, f"created directory {quoted(name)}")
        except OSError as error:
            complain(p, f"cannot create directory {quoted(str(error.filename2 or name))}: {strerror(error)}")
            status = 1
    return status


def make_parents(p: Process, name: str, verbose: bool, mode: int) -> None:
    made = "/" if name.startswith("/") else ""
    parts = [part for part in name.split("/") if part]
    for index, part in enumerate(parts):
        made = made + part if made in ("", "/") else f"{made}/{part}"
        try:
            found = p.fs.stat(p.path(made))
        except FileNotFoundError:
            try:
                p.fs.mkdir(p.path(made), mode if index + 1 == len(parts) else 0o777 & ~p.umask)
            except OSError as error:
                error.filename2 = made
                raise
            if verbose:
                p.out(f"mkdir: created directory {quoted(made)}\n")
            continue
        if not modes.S_ISDIR(found.mode):
            last = index + 1 == len(parts)
            number = errno.EEXIST if last else errno.ENOTDIR
            raise OSError(number, os.strerror(number), name, None, made)


def told(p: Process, options: Options, text: str) -> None:
    if "v" in options:
        p.out(f"{p.args[0]}: {text}\n")


async def touch(p: Process) -> int:
    options = parse(p, "acd:fhmr:t:", "no-create:c date=:d no-dereference:h reference=:r time=")
    if not options.operands:
        raise refuse(p, "missing file operand")
    when = p.host.now()
    if "r" in options:
        try:
            when = p.fs.stat(p.path(options.text("r"))).mtime
        except OSError as error:
            complain(p, f"failed to get attributes of {quoted(options.text('r'))}: {strerror(error)}")
            return 1
    try:
        if "d" in options:
            when = read_date(p, options.text("d"))
        elif "t" in options:
            digits, _, seconds = options.text("t").partition(".")
            if not digits.isdigit() or len(digits) not in (8, 10, 12):
                raise BadDate
            year = digits[:-8] if len(digits) == 12 else "20" + digits[:-8] if len(digits) == 10 else ""
            d = digits[-8:]
            year = year or str(__import__("time").gmtime(when).tm_year)
            when = read_date(p, f"{year}-{d[:2]}-{d[2:4]} {d[4:6]}:{d[6:8]}:{seconds or '00'}")
    except BadDate:
        raise refuse(p, f"invalid date format {quoted(options.text('d') or options.text('t'))}", hint=False) from None
    status = 0
    for name in options.operands:
        path = p.path(name)
        try:
            try:
                p.fs.stat(path, follow="h" not in options)
            except FileNotFoundError:
                if options.any("c"):
                    continue
                if "h" in options:
                    complain(p, f"setting times of {quoted(name)}: No such file or directory")
                    status = 1
                    continue
                if name.endswith("/"):
                    complain(p, f"setting times of {quoted(name)}: No such file or directory")
                    status = 1
                    continue
                p.fs.write(path, b"", mode=0o666 & ~p.umask)
            p.fs.utime(path, when)
        except OSError as error:
            complain(p, f"cannot touch {quoted(name)}: {strerror(error)}")
            status = 1
    return status


async def ln(p: Process) -> int:
    options = parse(
        p,
        "bfinPrsS:t:Tv",
        "backup=? force:f interactive:i no-dereference:n relative:r symbolic:s target-directory=:t no-target-directory:T verbose:v",
    )
    names = list(options.operands)
    if not names:
        raise refuse(p, "missing file operand")
    folder = options.value("t")
    if folder is None and len(names) == 1:
        names.append(".")
    if folder is None:
        target = names.pop()
        if "T" not in options and is_folder(p, target, follow="n" not in options):
            folder = target
        elif len(names) > 1:
            raise refuse(p, f"target {quoted(target)} is not a directory", hint=False)
    status = 0
    for source in names:
        name = f"{folder.rstrip('/')}/{posixpath.basename(source.rstrip('/'))}" if folder is not None else target
        kind = "symbolic link" if "s" in options else "hard link"
        try:
            if "f" in options and exists(p, name):
                p.fs.unlink(p.path(name))
            if "s" in options:
                text = source
                if "r" in options:
                    text = posixpath.relpath(p.path(source), posixpath.dirname(p.path(name)))
                p.fs.symlink(text, p.path(name))
            else:
                if modes.S_ISDIR(p.fs.stat(p.path(source), follow=False).mode):
                    complain(p, f"{source}: hard link not allowed for directory")
                    status = 1
                    continue
                if exists(p, name):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
                # The tree keeps no second names: the link is a copy.
                p.fs.write(p.path(name), p.fs.read(p.path(source)), mode=p.fs.stat(p.path(source)).mode & 0o7777)
        except OSError as error:
            if kind == "hard link" and not exists(p, source):
                complain(p, f"failed to access {quoted(source)}: {strerror(error)}")
            else:
                arrow = f" => {quoted(source)}" if kind == "hard link" else ""
                complain(p, f"failed to create {kind} {quoted(name)}{arrow}: {strerror(error)}")
            status = 1
            continue
        if "v" in options:
            p.out(f"{quoted(name)} -> {quoted(source)}\n" if "s" in options else f"{quoted(name)} => {quoted(source)}\n")
    return status


def exists(p: Process, name: str, follow: bool = False) -> bool:
    try:
        p.fs.stat(p.path(name), follow=follow)
    except OSError:
        return False
    return True


def is_folder(p: Process, name: str, follow: bool = True) -> bool:
    try:
        return modes.S_ISDIR(p.fs.stat(p.path(name), follow=follow).mode)
    except OSError:
        return False


async def mktemp(p: Process) -> int:
    options = parse(p, "dp::qtu", "directory:d quiet:q dry-run:u tmpdir=?:p suffix=")
    template = (options.operands or ["tmp.XXXXXXXXXX"])[0] + options.text("suffix")
    body = template.removesuffix(options.text("suffix"))
    marks = len(body) - len(body.rstrip("X"))
    if marks < 3:
        complain(p, f"too few X's in template {quoted(template)}")
        return 1
    letters = string.ascii_letters + string.digits
    name = body[:-marks] + "".join(random.choice(letters) for _ in range(marks)) + options.text("suffix")
    if "p" in options or "t" in options or not options.operands:
        name = f"{(options.text('p') or p.env.get('TMPDIR') or '/tmp').rstrip('/')}/{name}"
    try:
        if "u" not in options:
            if "d" in options:
                p.fs.mkdir(p.path(name), 0o700)
            else:
                p.fs.write(p.path(name), b"", mode=0o600)
    except OSError as error:
        kind = "directory" if "d" in options else "file"
        shown = name[: len(name) - marks] + "X" * marks if not options.text("suffix") else template
        complain(p, f"failed to create {kind} via template {quoted(shown)}: {strerror(error)}")
        return 1
    p.out(f"{name}\n")
    return 0


async def truncate(p: Process) -> int:
    options = parse(p, "cor:s:", "no-create:c size=:s reference=:r")
    if not options.operands:
        raise refuse(p, "missing file operand")
    text = options.text("s", "0")
    size = int(text.lstrip("+-").rstrip("KMGkB") or 0) * {"K": 1024, "k": 1024, "M": 1 << 20, "G": 1 << 30}.get(text[-1:], 1)
    status = 0
    for name in options.operands:
        try:
            data = p.fs.read(p.path(name)) if exists(p, name, True) else b""
            wanted = len(data) + size if text[0] == "+" else max(0, len(data) - size) if text[0] == "-" else size
            if wanted > 64 << 20:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            p.fs.write(p.path(name), data[:wanted].ljust(wanted, b"\0"), mode=0o666 & ~p.umask)
        except OSError as error:
            complain(p, f"cannot open {quoted(name)} for writing: {strerror(error)}")
            status = 1
    return status


COMMANDS = {
    **{"mkdir": mkdir, "touch": touch, "ln": ln, "mktemp": mktemp},
    "truncate": truncate,
}
