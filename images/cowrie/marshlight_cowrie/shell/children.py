"""What runs as a process of its own: stages of a pipeline, subshells, substitutions, what stands before `&`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from . import nodes
from .arithmetic import ArithmeticFailure
from .budget import DEEPEST, MOST_TASKS
from .control import Break, Discard, Exit, ForkFailure, RedirectionFailure, Return
from .nodes import Node
from .parameter_values import ExpansionFailure
from .redirect import redirected
from .streams import Null, Pipe, PipeReader, Sink, Source
from .tasks import Interrupted, Task
from .timing import report
from .variables import OutOfMemory, ReadOnly

if TYPE_CHECKING:
    from .interpreter import Shell

FAILURES = (ExpansionFailure, ArithmeticFailure, ReadOnly, OutOfMemory, ForkFailure)


class Children:
    async def run_pipeline(self: Any, node: nodes.Pipeline) -> int:
        began = self.system.host.now()
        try:
            if node.negated:
                self.condition += 1
            if len(node.stages) == 1:
                status = await self.run(node.stages[0])
                self.statuses = [status]
            else:
                status = await self.run_stages(node)
        finally:
            if node.negated:
                self.condition -= 1
        if node.timed:
            self.say_error(report(self, node.timed, began))
        return int(not status) if node.negated else int(status)

    async def run_stages(self: Any, node: nodes.Pipeline) -> int:
        tasks: list[Task] = []
        before: PipeReader | None = None
        for number, stage in enumerate(node.stages):
            child = self.forked()
            if before is not None:
                child.fds[0] = before
            pipe = Pipe() if number < len(node.stages) - 1 else None
            if pipe is not None:
                child.fds[1] = pipe.writer
                if node.errors[number]:
                    child.fds[2] = pipe.writer
            tasks.append(self.system.scheduler.spawn(run_stage(child, stage, before, pipe)))
            before = pipe.reader if pipe is not None else None
        statuses = []
        try:
            for task in tasks:
                statuses.append(int(await task))
        except Interrupted as interrupted:
            for task in tasks:
                task.interrupt(interrupted)
            raise
        self.statuses = statuses
        if self.option("pipefail"):
            return next((status for status in reversed(statuses) if status), 0)
        return statuses[-1]

    def forked(self: Any) -> Shell:
        if len(self.system.scheduler.tasks) >= MOST_TASKS:
            raise ForkFailure
        child: Shell = self.fork()
        child.depth += 1
        if child.depth > DEEPEST:
            raise ForkFailure
        return child

    async def run_background(self: Any, node: nodes.Background) -> int:
        child = self.forked()
        if not self.interactive:
            child.fds[0] = Null()
        self.jobs.start(child, node.body, node.source)
        return 0

    async def run_subshell(self: Any, node: nodes.Subshell) -> int:
        child = self.forked()
        return await isolated(child, child.run_list(node.body))

    async def substitute(self: Any, body: list[Node]) -> str:
        """The output of `$(...)`, without the line ends at its end."""
        child = self.forked()
        child.condition = 0
        if self.dialect.bash and not self.option("posix"):
            child.options.discard("errexit")
        sink = Sink()
        if is_file(body):
            try:
                fds = await redirected(child, body[0].redirections, child.fds)  # type: ignore[union-attr]
                data = await fds[0].read()
                self.substitution_status = 0
            except RedirectionFailure as failure:
                self.complain(str(failure))
                data, self.substitution_status = b"", 1
        else:
            child.fds[1] = sink
            self.substitution_status = await isolated(child, child.run_list(body))
            data = sink.data
        if b"\0" in data:
            if self.dialect.bash:
                self.complain("warning: command substitution: ignored null byte in input")
            data = data.replace(b"\0", b"")
        self.status = self.substitution_status
        return data.decode("utf-8", "surrogateescape").rstrip("\n")

    async def process_substitution(self: Any, part: nodes.Substitution) -> str:
        """`<(...)` runs first and gives a name that reads its output; `>(...)` gets what was written when all is done."""
        child = self.forked()
        number = next(number for number in range(63, 0, -1) if number not in self.substitutions)
        name = f"/dev/fd/{number}"
        if part.direction == "<":
            sink = Sink()
            child.fds[1] = sink
            await isolated(child, child.run_list(part.body))
            self.substitutions[number] = Source(sink.data, name)
        else:
            pipe = Pipe()
            child.fds[0] = pipe.reader
            task = self.system.scheduler.spawn(isolated(child, child.run_list(part.body)))
            self.substitutions[number] = pipe.writer
            self.outlets.append((number, pipe.writer, task))
        return name

    async def close_outlets(self: Any) -> None:
        """What `>(...)` read ends with the command that wrote it; without a terminal nobody goes on before it is done."""
        outlets, self.outlets = self.outlets, []
        for number, writer, task in outlets:
            self.substitutions.pop(number, None)
            writer.close()
            if not self.interactive:
                await task


async def run_stage(child: Shell, stage: Node, reader: PipeReader | None, pipe: Pipe | None) -> int:
    try:
        return await isolated(child, child.run(stage))
    finally:
        if pipe is not None:
            pipe.writer.close()
        if reader is not None:
            reader.close()


async def isolated(child: Shell, running: Awaitable[int]) -> int:
    """As a process of its own: nothing but its status comes back."""
    try:
        try:
            status = await running
        except FAILURES as error:
            status = child.failed(error)
    except (Exit, Return, Discard) as leave:
        status = leave.status
    except Break:
        status = 0
    except BrokenPipeError:
        status = 141
    except RecursionError:
        status = 139
    try:
        child.status = status
        await child.jobs.run_exit_trap()
        status = child.status if "EXIT" in child.traps else status
    except (Exit, Return) as leave:
        status = leave.status
    return int(status)


def is_file(body: list[Node]) -> bool:
    """`$(<name)`"""
    if len(body) != 1 or not isinstance(body[0], nodes.Simple):
        return False
    only = body[0]
    return not only.words and not only.assignments and [one.operator for one in only.redirections] == ["<"]
