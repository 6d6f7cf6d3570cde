"""The shell's own commands as programs: `busybox echo`, `/bin/test`, and those that run others: time, timeout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import builtins
from ..ash import times
from ..dialect import ASH
from ..programs import make_shell
from ..tasks import Interrupted, Task
from .modules import say
from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


async def builtin(p: Process) -> int:
    if p.args[0] == "printf" and len(p.args) < 2:
        raise refusal(p, "printf")
    shell = make_shell(p, p.args[0], dialect=ASH)
    return int(await builtins.BUILTINS[p.args[0]](shell, p.args))


async def kill(p: Process) -> int:
    if len(p.args) < 2:
        say(p, "you need to specify whom to kill")
        return 1
    return await builtin(p)


async def time(p: Process) -> int:
    words = [word for word in p.args[1:] if word not in ("-v", "-p")]
    if not words:
        raise refusal(p, "time")
    began = p.host.now()
    try:
        status = int(await p.spawn(words))
    except FileNotFoundError:
        say(p, f"can't execute '{words[0]}': No such file or directory")
        status = 127
    # A fast program of BusyBox takes less than the clock tells.
    p.stderr.write(times(max(0.0, p.host.now() - began - 0.005), 0.0, 0.0).encode())
    return status


async def timeout(p: Process) -> int:
    words = list(p.args[1:])
    number = 15
    while words and words[0].startswith("-") and words[0] != "--":
        flag = words.pop(0)
        if flag in ("-s", "-k") and words:
            given = words.pop(0)
            number = int(given) if flag == "-s" and given.isdigit() else 9 if flag == "-s" and given.upper().endswith("KILL") else number
    if len(words) < 2:
        raise refusal(p, "timeout")
    unit = words[0][-1:] if words[0][-1:].isalpha() else ""
    if not words[0].removesuffix(unit).replace(".", "", 1).isdigit() or unit not in SECONDS:
        say(p, f"invalid number '{words[0]}'")
        return 1
    scheduler = p.notes["shell"].system.scheduler
    task: Task = scheduler.spawn(p.spawn(words[1:]))
    late = []

    async def alarm() -> None:
        await p.host.sleep(float(words[0].removesuffix(unit)) * SECONDS[unit])
        late.append(True)
        task.interrupt(Interrupted(number))

    clock: Task = scheduler.spawn(alarm())
    try:
        return int(await task)
    except FileNotFoundError:
        say(p, f"can't execute '{words[1]}': No such file or directory")
        return 127
    except Interrupted:
        if not late:
            raise
    finally:
        clock.interrupt(Interrupted(1))
        task.interrupt(Interrupted(1))
    p.stderr.write(b"Terminated\n" if number == 15 else b"Killed\n" if number == 9 else b"")
    return 128 + number


COMMANDS = {
    **{name: builtin for name in ("echo", "printf", "test", "[", "true", "false", "pwd")},
    **{"kill": kill, "time": time, "timeout": timeout},
}
