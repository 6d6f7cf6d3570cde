"""Runs what chooses and what repeats: if, case, while, until, for, select."""

from __future__ import annotations

import re
from typing import Any

from . import nodes
from .arithmetic import ArithmeticFailure
from .control import Break, Continue
from .nodes import Node
from .patterns import compiled
from .select import run_select


class Branches:
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
