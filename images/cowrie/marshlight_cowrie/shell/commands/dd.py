"""dd: blocks of bytes from one place to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dump import number_of
from .inputs import pieces
from .options import complain, refuse
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
            seconds = 0.0001 + len(made) / 4e8 * (0.5 + p.host.random("dd"))
            size = len(made)
            easy = f" ({size / 1000:.1f} kB, {size / 1024:.1f} KiB)" if size >= 1024 else ""
            p.stderr.write(f"{size} bytes{easy} copied, {seconds:.6g} s, {size / seconds / 1e6:.1f} MB/s\n".encode())
    return 0


def there(p: Process, name: str) -> bool:
    try:
        p.fs.stat(p.path(name))
    except OSError:
        return False
    return True


COMMANDS = {"dd": dd}
