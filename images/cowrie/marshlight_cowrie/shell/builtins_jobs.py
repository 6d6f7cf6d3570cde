"""jobs, wait, kill, fg, bg, disown, trap, suspend."""

from __future__ import annotations

import re
from typing import Any

from .builtins import builtin, out
from .control import Exit
from .jobs import NAMES, NUMBERS, Job, signal_number
from .quoting import single_quoted
from .tasks import Interrupted


@builtin("jobs")
async def jobs(shell: Any, words: list[str]) -> int:
    flags = "".join(word[1:] for word in words[1:] if word.startswith("-"))
    for job in list(shell.jobs.jobs):
        if "r" in flags and job.status is not None or "s" in flags:
            continue
        out(shell, f"{job.pid}\n" if "p" in flags else shell.jobs.line(job, pids="l" in flags))
        if job.status is not None:
            shell.jobs.jobs.remove(job)
    return 0


@builtin("wait")
async def wait(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    if operands[:1] == ["-n"]:
        running = [job for job in shell.jobs.jobs if job.status is None]
        return int(await shell.jobs.wait(running[0])) if running else 127
    operands = [word for word in operands if word not in ("-f", "--")]
    if not operands:
        for job in list(shell.jobs.jobs):
            await shell.jobs.wait(job)
        return 0
    status = 0
    for name in operands:
        job = shell.jobs.find(name)
        if job is None:
            ended = shell.__dict__.setdefault("ended", {})
            if name.isdigit() and int(name) in ended:
                status = ended[int(name)]
            elif name.startswith("%"):
                shell.complain(f"wait: {name}: no such job")
                status = 127
            elif name.isdigit():
                if shell.dialect.bash:
                    shell.complain(f"wait: pid {name} is not a child of this shell")
                status = 127
            else:
                shell.complain(f"wait: `{name}': not a pid or valid job spec")
                status = 1 if not shell.dialect.bash else 1
            continue
        status = await shell.jobs.wait(job)
    return int(status)


@builtin("kill")
async def kill(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    number = 15
    if not operands:
        if shell.dialect.bash:
            shell.say_error("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n")
        else:
            shell.complain("kill: Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]")
        return 1 if shell.dialect.kind == "ash" else 2
    if operands[0] in ("-l", "-L"):
        return list_signals(shell, operands[1:])
    if operands[0] in ("-s", "-n") and len(operands) > 1:
        name, operands = operands[1], operands[2:]
    elif operands[0] == "--":
        name, operands = "15", operands[1:]
    elif operands[0].startswith("-") and len(operands[0]) > 1:
        name, operands = operands[0][1:], operands[1:]
    else:
        name = "15"
    found = signal_number(name)
    if found is None:
        shell.complain(f"kill: {name}: invalid signal specification" if shell.dialect.bash else f"kill: invalid signal number or name: {name}")
        return 1
    number = found
    if operands[:1] == ["--"]:
        operands = operands[1:]
    if not operands and shell.dialect.kind == "ash":
        shell.complain("kill: Usage: ")
        return 1
    status = 0
    for operand in operands:
        status = send(shell, operand, number) or status
    await shell.budget.step()
    await shell.jobs.run_traps()
    return status


def send(shell: Any, operand: str, number: int) -> int:
    of_ash = f": {operand}" if shell.dialect.kind == "ash" else ""
    if operand.startswith("%"):
        job = shell.jobs.find(operand)
        if job is None:
            shell.complain(f"kill: {operand}: no such job")
            return 1
        pid = job.pid
    elif re.fullmatch(r"-?\d+", operand):
        pid = abs(int(operand))
    else:
        shell.complain(f"kill: {operand}: arguments must be process or job IDs" if shell.dialect.bash else f"kill: Illegal number: {operand}")
        return 1
    if pid == shell.bash_pid or pid == shell.pid and not shell.subshell:
        return to_itself(shell, number)
    try:
        shell.system.table.signal(pid, number, shell.account)
    except ProcessLookupError:
        shell.complain(f"kill: ({operand}) - No such process" if shell.dialect.bash else f"kill: No such process{of_ash or chr(10)}")
        return 1
    except PermissionError:
        shell.complain(f"kill: ({operand}) - Operation not permitted" if shell.dialect.bash else f"kill: Operation not permitted{of_ash}")
        return 1
    return 0


def to_itself(shell: Any, number: int) -> int:
    if number == 0 or shell.jobs.receive(number):
        return 0
    if shell.interactive and not shell.subshell and number not in (1, 9):
        return 0
    if number in (17, 18, 23, 28, 19, 20, 21, 22):
        return 0
    shell.ended_by = number
    raise Exit(128 + number)


def list_signals(shell: Any, operands: list[str]) -> int:
    if operands:
        for operand in operands:
            if operand.isdigit():
                number = int(operand) - 128 if int(operand) > 128 else int(operand)
                out(shell, (NAMES.get(number, "SIGEXIT")[3:]) + "\n")
            else:
                found = signal_number(operand)
                if found is None:
                    shell.complain(f"kill: {operand}: invalid signal specification")
                    return 1
                out(shell, f"{found}\n")
        return 0
    every = {number: name for number, name in NAMES.items()} | {34: "SIGRTMIN", 64: "SIGRTMAX"}
    every |= {34 + at: f"SIGRTMIN+{at}" for at in range(1, 16)} | {64 - at: f"SIGRTMAX-{at}" for at in range(1, 15)}
    if shell.dialect.kind == "ash":
        out(shell, "".join(f"{number:2d}) {name[3:]}\n" for number, name in sorted(every.items()) if number < 32))
        return 0
    if not shell.dialect.bash:
        out(shell, "".join(f"{name[3:]}\n" for number, name in sorted(every.items()) if number < 32))
        return 0
    rows = sorted(every.items())
    text = ""
    for at, (number, name) in enumerate(rows):
        text += f"{number:2d}) {name}" + ("\n" if at % 5 == 4 or at == len(rows) - 1 else "\t")
    out(shell, text)
    return 0


@builtin("fg", "bg")
async def foreground(shell: Any, words: list[str]) -> int:
    if not shell.interactive:
        shell.complain(f"{words[0]}: no job control")
        return 1
    job: Job | None = shell.jobs.find(words[1] if len(words) > 1 else "%%")
    if job is None:
        shell.complain(f"{words[0]}: {words[1] if len(words) > 1 else 'current'}: no such job")
        return 1
    if words[0] == "bg":
        shell.complain(f"bg: job {job.number} already in background")
        return 0
    out(shell, job.command + "\n")
    job.told = True
    try:
        return int(await shell.jobs.wait(job))
    except Interrupted as interrupted:
        job.task.interrupt(interrupted)
        raise


@builtin("disown", "suspend", bash=True)
async def disown(shell: Any, words: list[str]) -> int:
    operands = [word for word in words[1:] if not word.startswith("-")]
    if words[0] == "suspend":
        shell.complain("suspend: cannot suspend a login shell" if shell.login else "suspend: cannot suspend: no job control")
        return 1
    targets = [shell.jobs.find(name) for name in operands] if operands else shell.jobs.jobs[-1:]
    if "-a" in words:
        targets = list(shell.jobs.jobs)
    for name, job in zip(operands or ["current"], targets or [None]):
        if job is None:
            shell.complain(f"disown: {name}: no such job")
            return 1
    for job in targets:
        if job in shell.jobs.jobs:
            shell.jobs.jobs.remove(job)
    return 0


@builtin("trap")
async def trap(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    if operands[:1] == ["-l"]:
        return list_signals(shell, [])
    if not operands or operands[0] == "-p":
        names = [trap_name(name) for name in operands[1:]]
        order = sorted(shell.traps, key=lambda name: (NUMBERS.get(name, 0 if name == "EXIT" else 99)))
        for name in order:
            if not names or name in names:
                shown = name if shell.dialect.bash or not name.startswith("SIG") else name[3:]
                out(shell, f"trap -- {single_quoted(shell.traps[name])} {shown}\n")
        return 0
    if operands[0] == "--":
        operands = operands[1:]
    action: str | None = operands[0] if operands else None
    names = operands[1:]
    if operands and (operands[0] == "-" or len(operands) == 1 or operands[0].isdigit()):
        action = None
        names = operands[1:] if operands[0] == "-" else operands
        if not names and shell.dialect.bash:
            return 0
    status = 0
    for text in names:
        name = trap_name(text)
        if name is None:
            shell.complain(f"trap: {text}: invalid signal specification" if shell.dialect.bash else f"trap: {text}: bad trap")
            status = 1
        elif action is None:
            shell.traps.pop(name, None)
        else:
            shell.traps[name] = action
            if name == "EXIT":
                shell.jobs.exit_done = False
    return status


def trap_name(text: str) -> str | None:
    if text.upper() in ("ERR", "DEBUG", "RETURN"):
        return text.upper()
    number = signal_number(text)
    if number is None:
        return None
    return "EXIT" if number == 0 else NAMES[number]
