"""Files: where BusyBox shows or refuses something else than its GNU relatives."""

from __future__ import annotations

import stat as modes
from typing import TYPE_CHECKING

from ..commands.options import parse
from ..commands.wording import strerror
from .figures import human
from .gnu import gnu
from .listing import blocks
from .modules import say
from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process


async def which(p: Process) -> int:
    options = parse(p, "a")
    if not options.operands:
        raise refusal(p, "which")
    status = 0
    for name in options.operands:
        folders = [""] if "/" in name else p.env.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").split(":")
        found = [path for path in (f"{folder}/{name}" if folder else name for folder in folders) if runs(p, path)]
        for path in found if "a" in options else found[:1]:
            p.out(f"{path}\n")
        status |= not found
    return int(status)


def runs(p: Process, path: str) -> bool:
    full = p.path(path)
    try:
        return modes.S_ISREG(p.fs.stat(full).mode) and p.fs.access(full, execute=True)
    except OSError:
        return False


async def du(p: Process) -> int:
    options = parse(p, "aHLdcd:lsxhmk")
    status, total = 0, 0

    def told(kilobytes: int) -> str:
        if "h" in options:
            return human(kilobytes * 1024) if kilobytes else "0"
        return str(kilobytes // 1024 if "m" in options else kilobytes)

    deepest = int(options.text("d", "0" if "s" in options else "1000") or 0)

    def walk(name: str, depth: int) -> int:
        nonlocal status
        path = p.path(name)
        try:
            stat = p.fs.stat(path, follow=False)
            below = p.fs.listdir(path) if modes.S_ISDIR(stat.mode) else []
        except OSError as error:
            say(p, f"{name}: {strerror(error)}")
            status = 1
            return 0
        used = blocks(stat)
        for child in below:
            if child not in (".", ".."):
                used += walk(f"{name.rstrip('/')}/{child}", depth + 1)
        if depth <= deepest and (modes.S_ISDIR(stat.mode) or depth == 0 or "a" in options):
            p.out(f"{told(used)}\t{name}\n")
        return used

    for name in options.operands or ["."]:
        total += walk(name, 0)
    if "c" in options:
        p.out(f"{told(total)}\ttotal\n")
    return status


async def dd(p: Process) -> int:
    """Two lines on what was read and written, where GNU has three."""
    for word in p.args[1:]:
        key, equals, value = word.partition("=")
        if not equals or key not in ("if", "of", "bs", "ibs", "obs", "count", "skip", "seek", "conv", "status", "iflag", "oflag"):
            raise refusal(p, "dd", "")
        if key in ("bs", "ibs", "obs", "count", "skip", "seek") and not value[:1].isdigit():
            say(p, f"invalid number '{value}'")
            return 1
    below = p.stderr

    class Short:
        is_tty = below.is_tty

        def write(self, data: bytes) -> None:
            for line in data.decode("utf-8", "surrogateescape").splitlines(keepends=True):
                if " copied, " in line:
                    continue
                if line.startswith("dd: failed to open '"):
                    name, _, why = line.removeprefix("dd: failed to open '").partition("': ")
                    line = f"dd: can't open '{name}': {why}"
                below.write(line.encode("utf-8", "surrogateescape"))

        async def drain(self) -> None:
            await below.drain()

    p.stderr = Short()  # type: ignore[assignment]
    try:
        return int(await gnu("dd")(p))
    finally:
        p.stderr = below


async def sync(p: Process) -> int:
    return 0


async def usleep(p: Process) -> int:
    if len(p.args) < 2:
        raise refusal(p, "usleep")
    if not p.args[1].isdigit():
        say(p, f"invalid number '{p.args[1]}'")
        return 1
    await p.host.sleep(int(p.args[1]) / 1e6)
    return 0


async def mknod(p: Process) -> int:
    options = parse(p, "m:")
    if len(options.operands) < 2:
        raise refusal(p, "mknod")
    name, kind = options.operands[:2]
    make = getattr(p.fs, "mkfifo", None)
    try:
        if kind == "p" and make is not None:
            make(p.path(name), int(options.text("m", "666"), 8) & ~p.umask)
        elif kind in ("b", "c", "u"):
            p.fs.write(p.path(name), b"")
        else:
            raise refusal(p, "mknod")
    except OSError as error:
        say(p, f"{name}: {strerror(error)}")
        return 1
    return 0


async def unzip(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if not names:
        raise refusal(p, "unzip")
    if not any(runs_on(p, f"{names[0]}{end}") for end in ("", ".zip", ".ZIP")):
        say(p, f"can't open {names[0]}[.zip]")
        return 1
    return int(await gnu("unzip")(p))


def runs_on(p: Process, name: str) -> bool:
    try:
        return modes.S_ISREG(p.fs.stat(p.path(name)).mode)
    except OSError:
        return False


async def logname(p: Process) -> int:
    """Nobody keeps utmp, which it asks."""
    say(p, "getlogin: No such device or address" if not p.tty else "getlogin: No such file or directory")
    return 1


COMMANDS = {"mknod": mknod, "logname": logname, "unzip": unzip, "which": which, "du": du, "dd": dd, "sync": sync, "usleep": usleep}
