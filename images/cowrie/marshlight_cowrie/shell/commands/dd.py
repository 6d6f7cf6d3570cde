"""dd: blocks of bytes from one place to another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .dump import number_of
from .inputs import pieces
from .options import Usage, complain, refuse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process


async def dd(p: Process) -> int:
    given: dict[str, str] = {}
    for word in p.args[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise refuse(p, f"unrecognized operand ‘{word}’")
        if name not in ("if", "of", "bs", "ibs", "obs", "cbs", "count", "skip", "seek", "conv", "status", "iflag", "oflag", "iseek", "oseek"):
            raise refuse(p, f"unrecognized operand ‘{word}’")
        if name in ("bs", "ibs", "obs", "count", "skip", "seek") and (not re.fullmatch(r"\d+[a-zA-Z]*B?", value) or name.endswith("bs") and number_of(value) == 0):
            raise Usage(f"dd: invalid number: ‘{value}’\n")
        given[name] = value
    block = number_of(given.get("bs") or given.get("ibs") or "512") or 512
    count = number_of(given["count"]) if "count" in given else None
    skip = number_of(given.get("skip", given.get("iseek", "0"))) * block
    most = min(skip + count * block if count is not None else 64 << 20, 64 << 20)
    source = given.get("if", "-")
    data = bytearray()
    try:
        async for piece in pieces(p, source):
            data += piece
            if len(data) >= most:
                break
    except OSError as error:
        complain(p, f"failed to open '{source}': {strerror(error)}")
        return 1
    made = bytes(data[skip:most])
    conv = given.get("conv", "").split(",")
    made = made.upper() if "ucase" in conv else made.lower() if "lcase" in conv else made
    target = given.get("of")
    if target is None:
        p.stdout.write(made)
    elif p.path(target) != "/dev/null":
        seek = number_of(given.get("seek", "0")) * (number_of(given.get("obs", "0")) or block)
        try:
            old = p.fs.read(p.path(target)) if (seek or "notrunc" in conv) and there(p, target) else b""
            kept = old[seek + len(made) :] if "notrunc" in conv else b""
            p.fs.write(p.path(target), old[:seek].ljust(seek, b"\0") + made + kept, mode=0o666 & ~p.umask)
        except OSError as error:
            complain(p, f"failed to open '{target}': {strerror(error)}")
            return 1
    if given.get("status") != "none":
        full, part = divmod(len(made), block)
        p.stderr.write(f"{full}+{int(part > 0)} records in\n{full}+{int(part > 0)} records out\n".encode())
        if given.get("status") != "noxfer":
            size = len(made)
            # A call of the system a block, and what a disk of its kind takes.
            seconds = (0.00004 + (full + part) * 2e-6 + size / 9e8) * (0.7 + p.host.random(f"dd {p.pid}") * 0.6)
            p.stderr.write(summary(size, seconds).encode())
    return 0


def summary(size: int, seconds: float) -> str:
    small, binary = scaled(size, 1000), scaled(size, 1024)
    easy = f" ({small}{', ' + binary if size >= 1024 else ''})" if size >= 1000 else ""
    return f"{size} byte{'' if size == 1 else 's'}{easy} copied, {seconds:.6g} s, {scaled(size / seconds, 1000)}/s\n"


def scaled(value: float, base: int) -> str:
    """As coreutils round to the nearest: one digit after the point below ten."""
    units = ("B", "kB", "MB", "GB", "TB") if base == 1000 else ("B", "KiB", "MiB", "GiB", "TiB")
    for unit in units:
        if unit == units[-1] or (round(value, 1) if value < 9.95 else round(value)) < base:
            return f"{value:.1f} {unit}" if value < 9.95 and (unit != "B" or value != int(value)) else f"{round(value)} {unit}"
        value /= base
    return str(value)


def there(p: Process, name: str) -> bool:
    try:
        p.fs.stat(p.path(name))
    except OSError:
        return False
    return True


COMMANDS = {"dd": dd}
