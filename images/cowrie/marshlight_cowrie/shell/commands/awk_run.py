"""Runs the statements of a tree of awk_parser over records."""

from __future__ import annotations

from .awk_evaluate import Evaluation, Return
from .awk_parser import Node
from .awk_records import MOST_STEPS
from .awk_values import Input, formatted, number, text, true
from .awk_words import AwkError


class Next(Exception):
    pass


class NextFile(Exception):
    pass


class Break(Exception):
    pass


class Continue(Exception):
    pass


class Exit(Exception):
    pass


class Machine(Evaluation):
    async def run(self, node: Node | None) -> None:
        if node is None:
            return
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Exit
        kind = node[0]
        if kind == "block":
            for child in node[1]:
                await self.run(child)
        elif kind == "expression":
            await self.value(node[1])
        elif kind in ("print", "printf"):
            await self.printed(node)
        elif kind == "if":
            await self.run(node[2] if true(await self.value(node[1])) else node[3])
        elif kind in ("while", "do", "for"):
            await self.loop(node)
        elif kind == "each":
            for key in list(self.table(node[2])):
                self.set(node[1], Input(key))
                try:
                    await self.run(node[3])
                except Continue:
                    continue
                except Break:
                    break
        elif kind == "delete":
            if node[2] is None:
                self.table(node[1]).clear()
            else:
                self.table(node[1]).pop(await self.key(node[2]), None)
        elif kind == "exit":
            if node[1] is not None:
                self.status = int(number(await self.value(node[1]))) & 255
            raise Exit
        elif kind == "return":
            raise Return(None if node[1] is None else await self.value(node[1]))
        else:
            raise {"next": Next, "nextfile": NextFile, "break": Break, "continue": Continue}[kind]

    async def loop(self, node: Node) -> None:
        kind = node[0]
        if kind == "for":
            await self.run(node[1])
            condition, step, body = node[2], node[3], node[4]
        else:
            condition, step, body = (node[1], None, node[2]) if kind == "while" else (node[2], None, node[1])
        first = kind == "do"
        while first or condition is None or true(await self.value(condition)):
            first = False
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise Exit
            try:
                await self.run(body)
            except Continue:
                pass
            except Break:
                break
            await self.run(step)

    async def printed(self, node: Node) -> None:
        kind, arguments, target = node
        values = [await self.value(argument) for argument in arguments]
        if kind == "printf":
            if not values:
                raise AwkError("no arguments in call to printf")
            made = formatted(text(values[0]), values[1:])
        elif not values:
            made = self.record + text(self.globals["ORS"])
        else:
            form = text(self.globals["OFMT"])
            made = text(self.globals["OFS"]).join(text(value, form) for value in values) + text(self.globals["ORS"])
        data = made.encode("utf-8", "surrogateescape")
        if target is None:
            self.p.stdout.write(data)
            return
        where = text(await self.value(target[1]))
        if target[0] != "|" and where in ("/dev/stdout", "-"):
            self.p.stdout.write(data)
        elif target[0] != "|" and where == "/dev/stderr":
            self.p.stderr.write(data)
        else:
            self.outputs.setdefault((target[0], where), bytearray()).extend(data)
