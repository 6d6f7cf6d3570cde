"""Runs the tree: lists, pipelines, compound commands. One simple command is `launch`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from . import nodes
from .arithmetic import ArithmeticFailure
from .budget import DEEPEST, MOST_TASKS
from .conditional import Conditions
from .control import Break, Continue, Discard, Exit, ForkFailure, RedirectionFailure, Return
from .nodes import Node
from .parameters import ExpansionFailure
from .patterns import compiled
from .redirect import redirected
from .streams import Null, Pipe, PipeReader, Sink, Source
from .tasks import Interrupted, Task
from .timing import report
from .variables import OutOfMemory, ReadOnly

if TYPE_CHECKING:
    from .interpreter import Shell

FAILURES = (ExpansionFailure, ArithmeticFailure, ReadOnly, OutOfMemory, ForkFailure)


class Execution(Conditions):
    if TYPE_CHECKING:
        run_simple: Callable[[nodes.Simple], Awaitable[int]]

    async def run_list(self: Any, found: list[Node]) -> int:
        for node in found:
            if "noexec" in self.options and not self.interactive:
                break
            await self.run(node)
        return int(self.status)

    async def run(self: Any, node: Node) -> int:
        await self.budget.step()
        await self.jobs.run_traps()
        try:
            status = await RUNNERS[type(node)](self, node)
        except FAILURES as error:
            status = self.failed(error)
        self.status = status
        if type(node) is nodes.Simple:
            self.statuses = [status]
        if status and not self.condition and type(node) in FATAL and not (isinstance(node, nodes.Pipeline) and node.negated):
            if "ERR" in self.traps and not self.jobs.in_trap:
                await self.jobs.run_trap("ERR")
            if "errexit" in self.options:
                raise Exit(status)
        return int(status)

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

    async def run_and_or(self: Any, node: nodes.AndOr) -> int:
        self.condition += 1
        try:
            status = await self.run(node.first)
        finally:
            self.condition -= 1
        for number, (operator, command) in enumerate(node.rest):
            if (status == 0) != (operator == "&&"):
                continue
            last = number == len(node.rest) - 1
            self.condition += not last
            try:
                status = await self.run(command)
            finally:
                self.condition -= not last
        return int(status)

    async def run_background(self: Any, node: nodes.Background) -> int:
        child = self.forked()
        if not self.interactive:
            child.fds[0] = Null()
        self.jobs.start(child, node.body, node.source)
        return 0

    async def run_group(self: Any, node: nodes.Group) -> int:
        return await self.run_list(node.body) if node.body else 0

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
            self.system.scheduler.spawn(isolated(child, child.run_list(part.body)))
            self.substitutions[number] = pipe.writer
        return name

    async def run_if(self: Any, node: nodes.If) -> int:
        for condition, body in node.branches:
            if await self.test_list(condition) == 0:
                return int(await self.run_list(body))
        return int(await self.run_list(node.otherwise)) if node.otherwise is not None else 0

    async def test_list(self: Any, condition: list[Node]) -> int:
        self.condition += 1
        try:
            return int(await self.run_list(condition))
        finally:
            self.condition -= 1

    async def run_body(self: Any, body: list[Node]) -> bool:
        """Whether the loop goes on."""
        try:
            await self.run_list(body)
        except Break as leave:
            self.status = leave.status
            if leave.levels > 1 and self.loops > 1:
                raise type(leave)(leave.levels - 1) from None
            return isinstance(leave, Continue)
        return True

    async def run_loop(self: Any, node: nodes.Loop) -> int:
        status = 0
        self.loops += 1
        try:
            while True:
                await self.budget.step()
                try:
                    if (await self.test_list(node.condition) == 0) == node.until:
                        break
                except Break as leave:
                    if leave.levels > 1 and self.loops > 1:
                        raise type(leave)(leave.levels - 1) from None
                    if not isinstance(leave, Continue):
                        break
                    continue
                goes_on = await self.run_body(node.body)
                status = self.status
                if not goes_on:
                    break
        finally:
            self.loops -= 1
        return int(status)

    async def run_for(self: Any, node: nodes.For) -> int:
        values = await self.expander.words(node.words) if node.words is not None else list(self.positional)
        if node.select:
            from .select import run_select

            return await run_select(self, node, values)
        if not re.fullmatch(r"[A-Za-z_]\w*", node.name):
            self.complain(f"`{node.name}': not a valid identifier")
            return 1
        status = 0
        self.loops += 1
        try:
            for value in values:
                await self.budget.step()
                self.vars.set(node.name, value)
                goes_on = await self.run_body(node.body)
                status = self.status
                if not goes_on:
                    break
        finally:
            self.loops -= 1
        return int(status)

    async def run_for_arithmetic(self: Any, node: nodes.ForArithmetic) -> int:
        status = 0
        self.loops += 1
        try:
            await self.expander.calculate(node.start)
            while True:
                text = await self.expander.text(node.condition)
                if text.strip() and not await self.expander.number(text):
                    break
                await self.budget.step()
                goes_on = await self.run_body(node.body)
                status = self.status
                if not goes_on:
                    break
                await self.expander.calculate(node.step)
        except ArithmeticFailure as failure:
            self.complain(f"((: {failure}")
            return 1
        finally:
            self.loops -= 1
        return int(status)

    async def run_case(self: Any, node: nodes.Case) -> int:
        subject = await self.expander.text(node.subject)
        status, through = 0, False
        for patterns, body, end in node.branches:
            if not through:
                for word in patterns:
                    pattern = compiled(await self.expander.pattern(word), extended=self.option("extglob"))
                    if pattern.fullmatch(subject):
                        through = True
                        break
            if through:
                status = await self.run_list(body) if body else 0
                if end == ";;" or not end:
                    return int(status)
                through = end == ";&"
        return int(status)

    async def run_function(self: Any, node: nodes.Function) -> int:
        self.functions[node.name] = node
        return 0

    async def run_calculation(self: Any, node: nodes.Calculation) -> int:
        self.line = node.line
        try:
            return int(not await self.expander.calculate(node.expression))
        except ArithmeticFailure as failure:
            self.complain(f"((: {failure}")
            return 1

    async def run_compound(self: Any, node: nodes.Compound) -> int:
        before = self.fds
        try:
            self.fds = await redirected(self, node.redirections, self.fds)
        except RedirectionFailure as failure:
            self.complain(str(failure))
            return 1
        try:
            return int(await RUNNERS[type(node.body)](self, node.body))
        finally:
            self.fds = before


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


RUNNERS: dict[type, Callable[..., Awaitable[int]]] = {
    nodes.Simple: lambda shell, node: shell.run_simple(node),
    nodes.Pipeline: Execution.run_pipeline,
    nodes.AndOr: Execution.run_and_or,
    nodes.Background: Execution.run_background,
    nodes.Group: Execution.run_group,
    nodes.Subshell: Execution.run_subshell,
    nodes.If: Execution.run_if,
    nodes.Loop: Execution.run_loop,
    nodes.For: Execution.run_for,
    nodes.ForArithmetic: Execution.run_for_arithmetic,
    nodes.Case: Execution.run_case,
    nodes.Function: Execution.run_function,
    nodes.Test: Execution.run_test,
    nodes.Calculation: Execution.run_calculation,
    nodes.Compound: Execution.run_compound,
}
#: Whose failure ends a shell with `set -e`; the others fail because of what is in them.
FATAL = (nodes.Simple, nodes.Pipeline, nodes.Subshell, nodes.Test, nodes.Calculation)
