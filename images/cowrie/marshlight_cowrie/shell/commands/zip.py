"""zip and unzip: archives that people carry their tools in, read and made by Python's own module, bounded."""

from __future__ import annotations

import io
import posixpath
import stat as modes
import zipfile
import zlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .inputs import whole
from .options import Usage
from .times import local

if TYPE_CHECKING:
    from ..ports import Process

#: Of one archive: members looked at, bytes unpacked.
MOST_MEMBERS, MOST_BYTES = 4096, 32 << 20
HEAD = "UnZip 6.00 of 20 April 2009, by Debian. Original by Info-ZIP.\n\n"
USAGE = HEAD + "Usage: unzip [-Z] [-opts[modifiers]] file[.zip] [list] [-x xlist] [-d exdir]\n"
NO_ZIP = """  End-of-central-directory signature not found.  Either this file is not
  a zipfile, or it constitutes one disk of a multi-part archive.  In the
  latter case the central directory and zipfile comment will be found on
  the last disk(s) of this archive.
"""


async def unzip(p: Process) -> int:
    letters, names, folder, secret, without = "", [], "", b"", []
    words = list(p.args[1:])
    while words:
        word = words.pop(0)
        if word == "-d" and words:
            folder = words.pop(0)
        elif word == "-P" and words:
            secret = words.pop(0).encode()
        elif word == "-x":
            without, words = words, []
        elif word.startswith("-") and len(word) > 1 and not names:
            letters += word[1:]
        elif word.startswith("-d"):
            folder = word[2:]
        else:
            names.append(word)
    if not names:
        p.out(HEAD if "v" in letters else USAGE)
        return 0
    data, name = await found(p, names[0])
    listing = any(letter in letters for letter in "lvZ")
    quiet = "q" in letters or "p" in letters
    if not quiet:
        p.out(f"Archive:  {name}\n")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        trouble = f"unzip:  cannot find zipfile directory in one of {names[0]} or\n        {names[0]}.zip, and cannot find {names[0]}.ZIP, period.\n"
        raise Usage(NO_ZIP + trouble, 9) from None
    wanted = [one for one in archive.infolist()[:MOST_MEMBERS] if chosen(one.filename, names[1:], without)]
    if listing:
        listed(p, wanted, verbose="v" in letters)
        return 0
    status = 0
    for pattern in names[1:]:
        if not any(fnmatchcase(one.filename, pattern) for one in wanted):
            p.stderr.write(f"caution: filename not matched:  {pattern}\n".encode())
            status = 11
    if status and not wanted:
        return status
    return await unpacked(p, archive, wanted, letters, folder, secret, name) or status


async def found(p: Process, name: str) -> tuple[bytes, str]:
    for each in (name, f"{name}.zip", f"{name}.ZIP"):
        try:
            return await whole(p, each), each
        except OSError:
            continue
    raise Usage(f"unzip:  cannot find or open {name}, {name}.zip or {name}.ZIP.\n", 9)


def chosen(name: str, patterns: list[str], without: list[str]) -> bool:
    return (not patterns or any(fnmatchcase(name, one) for one in patterns)) and not any(fnmatchcase(name, one) for one in without)


def day(one: zipfile.ZipInfo) -> str:
    year, month, number, hour, minute, _ = one.date_time
    return f"{year:04d}-{month:02d}-{number:02d} {hour:02d}:{minute:02d}"


def listed(p: Process, members: list[zipfile.ZipInfo], *, verbose: bool) -> None:
    size, packed = sum(one.file_size for one in members), sum(one.compress_size for one in members)
    count = f"{len(members)} file{'' if len(members) == 1 else 's'}"
    if not verbose:
        rows = "".join(f"{one.file_size:9d}  {day(one)}   {one.filename}\n" for one in members)
        p.out(f"  Length      Date    Time    Name\n---------  ---------- -----   ----\n{rows}---------                     -------\n{size:9d}                     {count}\n")
        return
    p.out(" Length   Method    Size  Cmpr    Date    Time   CRC-32   Name\n--------  ------  ------- ---- ---------- ----- --------  ----\n")
    for one in members:
        method = "Stored" if one.compress_type == zipfile.ZIP_STORED else "Defl:N"
        p.out(f"{one.file_size:8d}  {method}{one.compress_size:9d}{saved(one.file_size, one.compress_size):4d}% {day(one)} {one.CRC:08x}  {one.filename}\n")
    p.out(f"--------          -------  ---                            -------\n{size:8d}{packed:17d}{saved(size, packed):4d}%                            {count}\n")


def saved(size: int, packed: int) -> int:
    return round(100 * (size - packed) / size) if size else 0


async def unpacked(p: Process, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], letters: str, folder: str, secret: bytes, name: str) -> int:
    quiet, status, left, every = "q" in letters, 0, MOST_BYTES, "o" in letters
    for one in members:
        # As unzip does: a name that leads out of the folder loses what leads it out.
        path = "/".join(part for part in one.filename.split("/") if part not in ("", "..", "."))
        target = posixpath.basename(path) if "j" in letters else path
        full = p.path(posixpath.join(folder, target)) if folder else p.path(target)
        if one.is_dir() and "t" not in letters:
            if "p" not in letters and "j" not in letters and not made(p, full) and not quiet:
                p.out(f"   creating: {posixpath.join(folder, target)}/\n")
            continue
        if one.file_size > left:
            p.stderr.write(f"{target}:  write error (disk full?).  Continue? (y/n/^C) ".encode())
            return 50
        try:
            data = archive.read(one, pwd=secret or None)
        except RuntimeError:
            p.out(f"   skipping: {one.filename:<22}  {'incorrect password' if secret else 'unable to get password'}\n")
            status = 5 if not secret else 82
            continue
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
            p.out(f"    testing: {one.filename:<22}  bad CRC\n" if "t" in letters else f"  inflating: {one.filename:<22}  bad CRC\n")
            status = 2
            continue
        left -= len(data)
        if "t" in letters:
            p.out(f"    testing: {one.filename:<22}   OK\n")
            continue
        if "p" in letters:
            p.stdout.write(data)
            continue
        if there(p, full) and not every:
            if "n" in letters:
                continue
            p.stderr.write(f"replace {posixpath.join(folder, target)}? [y]es, [n]o, [A]ll, [N]one, [r]ename: ".encode())
            answer = (await p.stdin.readline()).strip()[:1]
            if not answer:
                p.stderr.write(b' NULL\n(EOF or read error, treating as "[N]one" ...)\n')
                return 1
            if answer == b"N":
                return 0
            every = answer == b"A"
            if answer not in (b"y", b"A"):
                continue
        made(p, posixpath.dirname(full))
        p.fs.write(full, data, mode=(one.external_attr >> 16 & 0o777) or 0o644)
        p.fs.chmod(full, (one.external_attr >> 16 & 0o777) or 0o644)
        if not quiet:
            verb = "extracting" if one.compress_type == zipfile.ZIP_STORED else " inflating"
            p.out(f" {verb}: {posixpath.join(folder, target):<22}  \n")
    if "t" in letters and not status:
        p.out(f"No errors detected in compressed data of {name}.\n")
    return status


def there(p: Process, path: str) -> bool:
    try:
        p.fs.stat(path)
    except OSError:
        return False
    return True


def made(p: Process, path: str) -> bool:
    """Whether the folder was there before."""
    if there(p, path):
        return True
    if path not in ("", "/"):
        made(p, posixpath.dirname(path))
        p.fs.mkdir(path, 0o777 & ~p.umask)
    return False


async def zip_(p: Process) -> int:
    letters, names, skip = "", [], 0
    for word in p.args[1:]:
        if skip:
            skip -= 1
        elif word.startswith("-") and len(word) > 1:
            letters += word[1:]
            skip = int(word[-1] in "Pix")
        else:
            names.append(word)
    if len(names) < 2:
        raise Usage("\nzip error: Nothing to do!\n", 12)
    target = names[0] if "." in posixpath.basename(names[0]) else f"{names[0]}.zip"
    buffer = io.BytesIO(p.fs.read(p.path(target)) if there(p, p.path(target)) else b"")
    old = {}
    if buffer.getbuffer().nbytes:
        with zipfile.ZipFile(buffer) as before:
            old = {one.filename: (one, before.read(one)) for one in before.infolist()[:MOST_MEMBERS]}
    fresh: list[tuple[str, str]] = []
    for name in names[1:]:
        try:
            gather(p, name, "r" in letters, fresh)
        except OSError:
            p.out(f"\tzip warning: name not matched: {name}\n")
    if not fresh:
        p.out(f"\nzip error: Nothing to do! ({target})\n")
        return 12
    made_ = io.BytesIO()
    with zipfile.ZipFile(made_, "w", zipfile.ZIP_DEFLATED) as archive:
        names_of = {posixpath.basename(inner) if "j" in letters else inner: path for path, inner in fresh}
        # What is there already keeps its place.
        for inner in dict.fromkeys([*old, *names_of]):
            path = names_of.get(inner)
            if path is None:
                archive.writestr(*old[inner])
                continue
            if not inner:
                continue
            stat = p.fs.stat(p.path(path))
            info = zipfile.ZipInfo(inner, local(p, stat.mtime).timetuple()[:6])
            info.external_attr = stat.mode << 16
            data = b"" if modes.S_ISDIR(stat.mode) else p.fs.read(p.path(path))[:MOST_BYTES]
            packed = len(zlib.compress(data, wbits=-15))
            stored = packed >= len(data)
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
            if "q" not in letters:
                p.out(f"{'updating' if inner in old else '  adding'}: {inner} ({'stored 0' if stored else f'deflated {saved(len(data), packed)}'}%)\n")
    p.fs.write(p.path(target), made_.getvalue(), mode=0o666 & ~p.umask)
    return 0


def gather(p: Process, name: str, deep: bool, into: list[tuple[str, str]]) -> None:
    """Paths and the names they get in the archive."""
    stat = p.fs.stat(p.path(name))
    inner = name.lstrip("/").removeprefix("./")
    folder = modes.S_ISDIR(stat.mode)
    if inner not in ("", "."):
        into.append((name, inner.rstrip("/") + "/" * folder))
    if folder and deep and len(into) < MOST_MEMBERS:
        for child in sorted(p.fs.listdir(p.path(name))):
            if child not in (".", ".."):
                gather(p, f"{name.rstrip('/')}/{child}", deep, into)


COMMANDS = {"unzip": unzip, "zip": zip_}
