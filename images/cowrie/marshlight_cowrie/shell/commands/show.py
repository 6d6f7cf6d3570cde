"""Whole files: cat tac rev nl tee."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .inputs import Inputs, bare, pieces, split, whole, written_by_shell
from .options import Options, complain, parse
from .wording import if_needed, strerror, trouble

if TYPE_CHECKING:
    from ..ports import Process


async def cat(p: Process) -> int:
    options = parse(
        p,
        "AbeEnstTuv",
        "show-all:A number-nonblank:b show-ends:E number:n squeeze-blank:s show-tabs:T show-nonprinting:v help version",
    )
    if "help" in options or "version" in options:
        p.out("cat (GNU coreutils) 9.1\n" if "version" in options else "Usage: cat [OPTION]... [FILE]...\n")
        return 0
    plain = not options.any("AbeEnstTv")
    status, number, blank, begins = 0, 0, False, True
    for name in options.operands or ["-"]:
        try:
            async for piece in pieces(p, name):
                if plain:
                    p.stdout.write(piece)
                else:
                    for line in split(piece):
                        empty = line == b"\n"
                        if "s" in options and empty and blank:
                            continue
                        blank = empty
                        if begins and ("b" in options and not empty or "n" in options and "b" not in options):
                            number += 1
                            p.out(f"{number:6d}\t")
                        begins = line.endswith(b"\n")
                        p.stdout.write(visible(line, options))
                await p.stdout.drain()
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            trouble(p, name, error)
            status = 1
    return status


def visible(line: bytes, options: Options) -> bytes:
    end = line.endswith(b"\n")
    body = line[:-1] if end else line
    if options.any("AvTet"):
        marked = options.any("Avet")
        made = bytearray()
        for byte in body:
            if byte == 9:
                made += b"^I" if options.any("ATt") else b"\t"
            elif not marked:
                made.append(byte)
            else:
                if byte >= 128:
                    made += b"M-"
                    byte -= 128
                made += b"^" + bytes([byte ^ 64]) if byte < 32 or byte == 127 else bytes([byte])
        body = bytes(made)
    return body + (b"$" if end and options.any("AEe") else b"") + (b"\n" if end else b"")


async def tac(p: Process) -> int:
    options = parse(p, "brs:", "before:b regex:r separator=:s")
    separator = options.text("s", "\n").encode()
    inputs = Inputs(p, options.operands)
    async for _, data in inputs.each():
        parts = data.split(separator)
        if "b" in options:
            p.stdout.write(b"".join(separator + part for part in reversed(parts[1:])) + parts[0])
            continue
        records = [part + separator for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
        p.stdout.write(b"".join(reversed(records)))
    return inputs.status


async def rev(p: Process) -> int:
    options = parse(p, "hV", "help:h version:V")
    status = 0
    for name in options.operands or ["-"]:
        try:
            data = await whole(p, name)
        except OSError as error:
            complain(p, f"cannot open {name}: {strerror(error)}")
            status = 1
            continue
        for line in split(data):
            end = "\n" if line.endswith(b"\n") else ""
            p.out(line.decode("utf-8", "surrogateescape").rstrip("\n")[::-1] + end)
    return status


async def nl(p: Process) -> int:
    options = parse(p, "b:d:f:h:i:l:n:ps:v:w:", "body-numbering=:b line-increment=:i number-separator=:s "
                    "starting-line-number=:v number-width=:w number-format=:n")  # fmt: skip
    inputs = Inputs(p, options.operands)
    number, step, width = int(options.text("v", "1")), int(options.text("i", "1")), int(options.text("w", "6"))
    style, form = options.text("b", "t"), options.text("n", "rn")
    separator = options.value("s", "\t") or ""
    for line in bare(await inputs.all()):
        if style == "a" or style == "t" and line:
            text = f"{number:0{width}d}" if form == "rz" else f"{number:<{width}}" if form == "ln" else f"{number:>{width}}"
            p.out(text + separator)
            number += step
        else:
            p.out(" " * (width + len(separator)))
        p.stdout.write(line + b"\n")
    return inputs.status


async def tee(p: Process) -> int:
    options = parse(p, "aip", "append:a ignore-interrupts:i")
    status, append, open_ = 0, "a" in options, []
    streams = []
    for name in options.operands:
        try:
            stream = written_by_shell(p, p.path(name))
            if stream is not None:
                streams.append(stream)
            elif name != "/dev/null":
                p.fs.write(p.path(name), b"", append=append, mode=0o666 & ~p.umask)
                open_.append(name)
        except OSError as error:
            complain(p, f"{if_needed(name)}: {strerror(error)}")
            status = 1
    while piece := await p.stdin.read(65536):
        p.stdout.write(piece)
        for stream in streams:
            stream.write(piece)
        for name in open_:
            p.fs.write(p.path(name), piece, append=True)
    return status


COMMANDS = {"cat": cat, "tac": tac, "rev": rev, "nl": nl, "tee": tee}
