"""tar."""

from __future__ import annotations

import gzip as packer
import io
import stat as modes
import tarfile
from typing import TYPE_CHECKING

from .compression import unpacked
from .inputs import whole
from .names import group_name, user_name
from .options import Options, Usage, parse
from .times import local
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


async def tar(p: Process) -> int:
    args = list(p.args[1:])
    if not args:
        raise Usage("tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\nTry 'tar --help' or 'tar --usage' for more information.\n", 2)
    if args and not args[0].startswith("-"):
        # The old way: letters first, then the values of those that take one, in order.
        letters = args.pop(0)
        made = []
        for letter in letters:
            made.append(f"-{letter}")
            if letter in "fCbTX" and args:
                made.append(args.pop(0))
        args = made + args
    words, folder_of, at = [], [], None
    cleaned: list[str] = []
    while args:
        word = args.pop(0)
        if word in ("-C", "--directory") and args:
            at = args.pop(0)
            folder_of.append(at)
        elif word.startswith("--directory="):
            at = word.partition("=")[2]
        else:
            cleaned.append(word)
            words.append((word, at))
    options = parse(
        p,
        "cxtruAzjJZI:N:f:vpkOmPhSC:T:X:b:o",
        "create:c extract:x get:x list:t file=:f verbose:v gzip:z bzip2:j xz:J directory=:C exclude= to-stdout:O preserve-permissions:p "
        "absolute-names:P use-compress-program=:I newer=:N after-date=:N strip-components= no-same-owner owner= group= numeric-owner help version",
        status=64,
        args=cleaned,
    )
    action = options.last("cxtru")
    if not action:
        raise Usage("tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\nTry 'tar --help' or 'tar --usage' for more information.\n", 2)
    base = p.path(at) if at else p.cwd
    if at and not folder(p, base):
        p.stderr.write(f"tar: {at}: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n".encode())
        return 2
    packing = options.value("I") or ("bzip2" if "j" in options else "xz" if "J" in options else None)
    if packing and action != "t" and not found_program(p, packing.split()[0]):
        p.stderr.write(f"tar (child): {packing}: Cannot exec: No such file or directory\ntar (child): Error is not recoverable: exiting now\n".encode())
        p.stderr.write(b"tar: Child returned status 2\ntar: Error is not recoverable: exiting now\n")
        return 2
    if action == "c":
        return create(p, options, base)
    return await extract(p, options, base, action == "t")


def found_program(p: Process, name: str) -> bool:
    for place in p.env.get("PATH", "/usr/bin:/bin").split(":"):
        try:
            p.fs.stat(f"{place}/{name}")
        except OSError:
            continue
        return True
    return False


def folder(p: Process, path: str) -> bool:
    try:
        return modes.S_ISDIR(p.fs.stat(path).mode)
    except OSError:
        return False


def create(p: Process, options: Options, base: str) -> int:
    if not options.operands:
        raise Usage("tar: Cowardly refusing to create an empty archive\nTry 'tar --help' or 'tar --usage' for more information.\n", 2)
    buffer = io.BytesIO()
    status = 0
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in options.operands:
            status = max(status, add(p, archive, name, base, options))
    data = buffer.getvalue()
    if "z" in options or "a" in options:
        data = packer.compress(data, 6, mtime=0)
    target = options.text("f", "-")
    if target == "-":
        p.stdout.write(data)
    else:
        try:
            p.fs.write(p.path(target), data, mode=0o666 & ~p.umask)
        except OSError as error:
            p.stderr.write(f"tar: {target}: Cannot open: {strerror(error)}\ntar: Error is not recoverable: exiting now\n".encode())
            return 2
    if status:
        p.stderr.write(b"tar: Exiting with failure status due to previous errors\n")
    return status


def add(p: Process, archive: tarfile.TarFile, name: str, base: str, options: Options) -> int:
    path = name if name.startswith("/") else f"{base.rstrip('/')}/{name}"
    try:
        node = p.fs.stat(path, follow="h" in options)
    except OSError as error:
        p.stderr.write(f"tar: {name}: Cannot stat: {strerror(error)}\n".encode())
        return 2
    info = tarfile.TarInfo(name.lstrip("/") or ".")
    info.mode, info.uid, info.gid, info.mtime = node.mode & 0o7777, node.uid, node.gid, int(node.mtime)
    info.uname, info.gname = user_name(p.fs, node.uid), group_name(p.fs, node.gid)
    isdir = modes.S_ISDIR(node.mode)
    if "v" in options:
        stream = p.stderr if options.text("f", "-") == "-" else p.stdout
        stream.write(f"{name}{'/' if isdir and not name.endswith('/') else ''}\n".encode())
    if isdir:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
        status = 0
        for child in p.fs.listdir(path):
            if child not in (".", ".."):
                status = max(status, add(p, archive, f"{name.rstrip('/')}/{child}", base, options))
        return status
    if modes.S_ISLNK(node.mode):
        info.type, info.linkname = tarfile.SYMTYPE, node.target or ""
        archive.addfile(info)
        return 0
    data = p.fs.read(path)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
    return 0


async def extract(p: Process, options: Options, base: str, listing: bool) -> int:
    source = options.text("f", "-")
    try:
        data = await whole(p, source)
    except OSError as error:
        p.stderr.write(f"tar: {source}: Cannot open: {strerror(error)}\ntar: Error is not recoverable: exiting now\n".encode())
        return 2
    if data[:2] == b"\x1f\x8b":
        data = unpacked(data)
    elif "z" in options:
        why = "\ngzip: stdin: unexpected end of file\n" if not data else "\ngzip: stdin: not in gzip format\n"
        p.stderr.write(f"{why}tar: Child returned status 1\ntar: Error is not recoverable: exiting now\n".encode())
        return 2
    if not data:
        p.stderr.write(b"tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n")
        return 2
    try:
        archive = tarfile.open(fileobj=io.BytesIO(data))  # noqa: SIM115
    except tarfile.TarError:
        p.stderr.write(b"tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n")
        return 2
    strip = int(options.text("strip-components", "0"))
    for member in archive.getmembers()[:4096]:
        name = member.name + ("/" if member.isdir() else "")
        if options.operands and not any(member.name == one.rstrip("/") or member.name.startswith(one.rstrip("/") + "/") for one in options.operands):
            continue
        if listing:
            if "v" in options:
                then = local(p, member.mtime)
                kind = modes.filemode((0o040000 if member.isdir() else 0o120000 if member.issym() else 0o100000) | member.mode)
                p.out(f"{kind} {member.uname}/{member.gname} {member.size:>9} {then:%Y-%m-%d %H:%M} {name}\n")
            else:
                p.out(name + "\n")
            continue
        if "v" in options:
            p.out(name + "\n")
        parts = [part for part in member.name.split("/") if part not in ("", ".", "..")][strip:]
        if parts:
            put(p, archive, member, base, parts)
    return 0


def put(p: Process, archive: tarfile.TarFile, member: tarfile.TarInfo, base: str, parts: list[str]) -> None:
    path = base.rstrip("/")
    for part in parts[:-1]:
        path = f"{path}/{part}"
        if not folder(p, path):
            p.fs.mkdir(path, 0o755)
    path = f"{path}/{parts[-1]}"
    if member.isdir():
        if not folder(p, path):
            p.fs.mkdir(path, member.mode & 0o777)
    elif member.issym():
        p.fs.symlink(member.linkname, path)
    elif member.isfile():
        content = archive.extractfile(member)
        p.fs.write(path, content.read() if content else b"", mode=member.mode & 0o777)
        p.fs.utime(path, member.mtime)


COMMANDS = {"tar": tar}
