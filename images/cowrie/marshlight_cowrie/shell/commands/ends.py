"""Parts of files: head and tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .inputs import pieces, split, whole
from .options import Options, complain, parse, refuse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

UNITS = {"b": 512, "k": 1024, "K": 1024, "M": 1 << 20, "G": 1 << 30, "kB": 1000, "KB": 1000, "MB": 10**6, "KiB": 1024}


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


COMMANDS = {"head": head, "tail": tail}
