"""Background jobs, and the traps that run between commands."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .control import Exit, Return
from .tasks import Interrupted, Signal, Task

if TYPE_CHECKING:
    from .nodes import Node

NAMES = {number.value: number.name for number in signal.Signals if number.value < 32}
NUMBERS = {name: number for number, name in NAMES.items()}
ENDED = {1: "Hangup", 2: "Interrupt", 3: "Quit", 6: "Aborted", 9: "Killed", 11: "Segmentation fault", 13: "Broken pipe", 15: "Terminated"}


def signal_number(name: str) -> int | None:
    if name.isdigit():
        return int(name) if int(name) in NAMES or int(name) == 0 else None
    upper = name.upper()
    if upper in ("EXIT", "SIGEXIT"):
        return 0
    return NUMBERS.get(upper if upper.startswith("SIG") else "SIG" + upper)


@dataclass
class Job:
    number: int
    pid: int
    command: str
    task: Task
    status: int | None = None
    told: bool = False
    disowned: bool = False

    def state(self) -> str:
        if self.status is None:
            return "Running"
        if self.status > 128 and self.status - 128 in ENDED:
            return ENDED[self.status - 128]
        return "Done" if self.status == 0 else f"Exit {self.status}"


class Jobs:
    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.jobs: list[Job] = []
        self.pending: list[str] = []
        #: An interrupt ends the whole line, not only the command that runs.
        self.whole = True
        self.in_trap = False
        self.exit_done = False

    def start(self, child: Any, body: Node, source: str) -> Job:
        shell, table = self.shell, self.shell.system.table
        pid = child.bash_pid
        table.add(pid, shell.bash_pid, shell.account.name, source[:4096], shell.system.tty, "S")

        async def run() -> int:
            from .children import isolated

            try:
                return await isolated(child, child.run(body))
            except Interrupted as interrupted:
                return 128 + interrupted.number
            finally:
                table.remove(pid)

        task = shell.system.scheduler.spawn(run())
        table.tasks[pid] = task
        number = max((job.number for job in self.jobs), default=0) + 1
        job = Job(number, pid, source, task)

        def ended() -> None:
            job.status = int(task.value or 0) if task.error is None else 1

        task.then(ended)
        self.jobs.append(job)
        shell.background_pid = pid
        if shell.interactive and not shell.subshell:
            shell.say_error(f"[{number}] {pid}\n")
        return job

    def find(self, name: str) -> Job | None:
        if not name.startswith("%"):
            return next((job for job in self.jobs if str(job.pid) == name), None)
        rest = name[1:]
        alive = self.jobs
        if rest in ("", "%", "+"):
            return alive[-1] if alive else None
        if rest == "-":
            return alive[-2] if len(alive) > 1 else alive[-1] if alive else None
        if rest.isdigit():
            return next((job for job in alive if job.number == int(rest)), None)
        return next((job for job in reversed(alive) if job.command.startswith(rest)), None)

    def mark(self, job: Job) -> str:
        return "+" if self.jobs[-1:] == [job] else "-" if self.jobs[-2:-1] == [job] else " "

    def line(self, job: Job, *, pids: bool = False) -> str:
        pid = f"{job.pid} " if pids else ""
        running = " &" if job.status is None else ""
        return f"[{job.number}]{self.mark(job)}  {pid}{job.state():<23} {job.command}{running}\n"

    def tell_finished(self) -> None:
        """Before a prompt: what ended since the last one."""
        for job in list(self.jobs):
            if job.status is not None:
                if not job.told and not job.disowned:
                    self.shell.say_error(self.line(job))
                self.jobs.remove(job)

    async def wait(self, job: Job) -> int:
        trapped = Signal()
        self._woken = trapped
        try:
            await job.task
        except Interrupted:
            raise
        except Exception:
            return 1
        if job in self.jobs and not (self.shell.interactive and not job.told):
            self.jobs.remove(job)
        return job.status or 0

    # -- traps -------------------------------------------------------------------------------------------------------

    def receive(self, number: int) -> bool:
        """A signal to this shell; whether it has a trap for it."""
        name = NAMES.get(number, "")
        if name in self.shell.traps:
            if self.shell.traps[name]:
                self.pending.append(name)
            return True
        return False

    async def run_traps(self) -> None:
        while self.pending and not self.in_trap:
            await self.run_trap(self.pending.pop(0))

    async def run_trap(self, name: str) -> None:
        shell = self.shell
        action = shell.traps.get(name)
        if not action:
            return
        self.in_trap = True
        status, line = shell.status, shell.line
        try:
            await shell.run_text(action)
        finally:
            self.in_trap = False
            shell.status, shell.line = status, line

    async def run_exit_trap(self) -> None:
        shell = self.shell
        action = shell.traps.get("EXIT")
        if action and not self.exit_done:
            self.exit_done = True
            status = shell.status
            try:
                await shell.run_text(action)
                shell.status = status
            except (Exit, Return) as leave:
                shell.status = leave.status

    async def run_debug(self, node: Any) -> None:
        if "DEBUG" in self.shell.traps and not self.in_trap:
            await self.run_trap("DEBUG")
