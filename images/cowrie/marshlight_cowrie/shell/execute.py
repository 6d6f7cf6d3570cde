"""Runs the tree: each kind of node by its runner. One simple command is `launch`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from . import nodes
from .arithmetic import ArithmeticFailure
from .branches import Branches
from .children import FAILURES, Children
from .conditional import Conditions
from .control import Exit, RedirectionFailure
from .nodes import Node
from .redirect import redirected


class Execution(Conditions, Branches, Children):
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

    async def run_group(self: Any, node: nodes.Group) -> int:
        return await self.run_list(node.body) if node.body else 0

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
