"""Whole files and parts of them: cat tac rev nl head tail tee."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .inputs import Inputs, bare, pieces, split, whole, written_by_shell
from .options import Options, complain, parse, refuse
from .wording import if_needed, strerror, trouble

if TYPE_CHECKING:
    from ..ports import Process

UNITS = {"b": 512, "k": 1024, "K": 1024, "M": 1 << 20, "G": 1 << 30, "kB": 1000, "KB": 1000, "MB": 10**6, "KiB": 1024}


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


def amount(p: Process, text: str, what: str) -> int:
    digits = text.lstrip("+-")
    unit = digits.lstrip("0123456789")
    if not digits[:1].isdigit() or unit and unit not in UNITS:
        raise refuse(p, f"invalid number of {what}: ‘{text}’", hint=False)
    return int(digits[: len(digits) - len(unit)]) * UNITS.get(unit, 1)


def old_style(args: list[str]) -> list[str]:
    """`-5` and `-5c` as people still write them."""
    made: list[str] = []
    for word in args:
        digits = word[1:].rstrip("cfqvlb")
        if word[:1] == "-" and digits.isdigit():
            rest = word[1 + len(digits) :]
            made += ["-c" if "c" in rest else "-n", digits, *(["-f"] if "f" in rest else [])]
        else:
            made.append(word)
    return made


async def head(p: Process) -> int:
    options = parse(p, "n:c:qvz", "lines=:n bytes=:c quiet:q silent:q verbose:v zero-terminated:z", args=old_style(p.args[1:]))
    by, what = ("c", "bytes") if options.last("nc", "n") == "c" else ("n", "lines")
    wanted = options.text(by, "10")
    count, all_but = amount(p, wanted, what), wanted.startswith("-")
    end = b"\0" if "z" in options else b"\n"
    status = 0
    for index, name in enumerate(options.operands or ["-"]):
        try:
            if all_but:
                data = await whole(p, name)
                cut = data[: len(data) - count] if by == "c" else end.join(data.split(end)[: -count - 1])
                part = cut + end if by == "n" and cut else cut
                headline(p, options, index, name)
                p.stdout.write(part)
                continue
            started, left = False, count
            async for piece in pieces(p, name):
                if not started:
                    headline(p, options, index, name)
                    started = True
                if by == "c":
                    p.stdout.write(piece[:left])
                    left -= len(piece)
                else:
                    records = piece.split(end)
                    taken = end.join(records[:left])
                    whole_records = min(left, len(records) - 1)
                    p.stdout.write(taken + (end if left < len(records) and left else b""))
                    left -= whole_records
                if left <= 0:
                    break
            if not started:
                headline(p, options, index, name)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            status = 1
            if isinstance(error, IsADirectoryError):
                headline(p, options, index, name)
                complain(p, f"error reading '{name}': {strerror(error)}")
            else:
                complain(p, f"cannot open '{name}' for reading: {strerror(error)}")
    return status


def headline(p: Process, options: Options, index: int, name: str) -> None:
    if "v" in options or len(options.operands) > 1 and "q" not in options:
        p.out(("\n" if index else "") + f"==> {'standard input' if name == '-' else name} <==\n")


async def tail(p: Process) -> int:
    options = parse(
        p,
        "n:c:fFqvs:z",
        "lines=:n bytes=:c follow=?:f retry quiet:q silent:q verbose:v pid= sleep-interval=:s zero-terminated:z",
        args=old_style(p.args[1:]),
    )
    by, what = ("c", "bytes") if options.last("nc", "n") == "c" else ("n", "lines")
    wanted = options.text(by, "10")
    count, onwards = amount(p, wanted, what), wanted.startswith("+")
    status = 0
    for index, name in enumerate(options.operands or ["-"]):
        try:
            data = await whole(p, name)
        except OSError as error:
            status = 1
            if isinstance(error, IsADirectoryError):
                headline(p, options, index, name)
                complain(p, f"error reading '{name}': {strerror(error)}")
            else:
                complain(p, f"cannot open '{name}' for reading: {strerror(error)}")
            continue
        headline(p, options, index, name)
        if by == "c":
            p.stdout.write(data[max(0, count - 1) :] if onwards else data[-count:] if count else b"")
        else:
            lines = split(data)
            p.stdout.write(b"".join(lines[max(0, count - 1) :] if onwards else lines[-count:] if count else []))
    if options.any("fF") and options.operands and status == 0:
        while True:
            await p.host.sleep(3600)
    return status


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


COMMANDS = {"cat": cat, "tac": tac, "rev": rev, "nl": nl, "head": head, "tail": tail, "tee": tee}
