"""gzip gunzip zcat."""

from __future__ import annotations

import gzip as packer
import zlib
from typing import TYPE_CHECKING

from .inputs import whole
from .options import parse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


MOST = 32 << 20


def unpacked(data: bytes) -> bytes:
    """Bounded: a small archive must not fill the memory."""
    made = zlib.decompressobj(31)
    return made.decompress(data, MOST)


async def gzip(p: Process) -> int:
    name = p.args[0].rsplit("/", 1)[-1]
    options = parse(p, "123456789acdfhklLnNqrS:tvV", "stdout:c to-stdout:c decompress:d uncompress:d force:f keep:k list:l quiet:q recursive:r test:t verbose:v fast:1 best:9 suffix=:S")
    opening = "d" in options or name in ("gunzip", "zcat") or "t" in options
    to_out = "c" in options or name == "zcat" or not options.operands
    status = 0
    for file in options.operands or ["-"]:
        try:
            data = await whole(p, file)
        except OSError as error:
            if opening and not file.endswith(".gz") and isinstance(error, FileNotFoundError):
                p.stderr.write(f"gzip: {file}.gz: {strerror(error)}\n".encode())
            elif isinstance(error, IsADirectoryError):
                p.stderr.write(f"gzip: {file} is a directory -- ignored\n".encode())
                status = max(status, 2)
                continue
            else:
                p.stderr.write(f"gzip: {file}: {strerror(error)}\n".encode())
            status = 1
            continue
        if opening:
            if not data and file == "-":
                p.stderr.write(b"\ngzip: stdin: unexpected end of file\n")
                status = 1
                continue
            if data[:2] != b"\x1f\x8b":
                shown = "stdin" if file == "-" else file
                if "f" in options and to_out or name == "zcat" and False:
                    p.stdout.write(data)
                    continue
                p.stderr.write(f"\ngzip: {shown}: not in gzip format\n".encode())
                status = 1
                continue
            try:
                made = unpacked(data)
            except zlib.error:
                p.stderr.write(f"\ngzip: {file}: invalid compressed data--format violated\n".encode())
                status = 1
                continue
            target = file.removesuffix(".gz") if file.endswith(".gz") else file.removesuffix(".tgz") + ".tar"
        else:
            made, target = packer.compress(data, 6, mtime=int(p.host.now())), f"{file}.gz"
            if file.endswith(".gz") and not to_out:
                p.stderr.write(f"gzip: {file} already has .gz suffix -- unchanged\n".encode())
                status = 2
                continue
        if "t" in options:
            continue
        if to_out:
            p.stdout.write(made)
            continue
        mode = p.fs.stat(p.path(file)).mode & 0o777
        p.fs.write(p.path(target), made, mode=mode)
        if "k" not in options:
            p.fs.unlink(p.path(file))
    return status


COMMANDS = {"gzip": gzip, "gunzip": gzip, "zcat": gzip}
