"""Runs a tree of awk_parser over records."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .awk_functions import call
from .awk_parser import Node, Program
from .awk_values import Input, compared, formatted, number, text, true
from .awk_words import AwkError
from .options import Usage
from .regex import BadPattern, compiled

if TYPE_CHECKING:
    from ..ports import Process

#: Evaluations after which a program that never ends is ended.
MOST_STEPS = 5_000_000


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


class Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Machine:
    """`read`: the next record of the main input, None at its end; reads from commands and files go through `open_`."""

    def __init__(self, p: Process, program: Program) -> None:
        self.p, self.program = p, program
        self.globals: dict[str, Any] = {
            **{"FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n", "NF": 0.0, "NR": 0.0, "FNR": 0.0, "FILENAME": ""},
            **{"SUBSEP": "\x1c", "RSTART": 0.0, "RLENGTH": -1.0, "CONVFMT": "%.6g", "OFMT": "%.6g"},
            "ENVIRON": {name: Input(value) for name, value in p.env.items()},
        }
        self.locals: list[dict[str, Any]] = []
        self.record, self.fields = "", [""]
        self.split_done = True
        self.ranges: dict[int, bool] = {}
        self.status, self.steps = 0, 0
        self.random = random.Random(0)
        self.outputs: dict[tuple[str, str], bytearray] = {}
        self.sources: dict[tuple[str, str], list[str]] = {}
        self.patterns: dict[str, re.Pattern[str]] = {}
        self.read: Callable[[], Any] = lambda: None
        self.run_command: Callable[..., Any] = lambda *_: None

    # Records and fields

    def set_record(self, record: str) -> None:
        self.record, self.split_done = record, False

    def parts(self) -> list[str]:
        if not self.split_done:
            self.fields = ["", *self.cut(self.record, text(self.globals["FS"]))]
            self.split_done = True
        return self.fields

    def cut(self, record: str, separator: str) -> list[str]:
        if record == "":
            return []
        if separator == " ":
            return record.split()
        if separator == "\t" or len(separator) == 1 and separator not in "\\|^$.*+?()[]{}":
            return record.split(separator)
        if separator == "":
            return list(record)
        return [part or "" for part in self.pattern(separator if separator != "|" else "\\|").split(record)]

    def field(self, index: int) -> Any:
        if index < 0:
            raise AwkError(f"negative field index ${index}")
        if index == 0:
            return Input(self.record)
        parts = self.parts()
        return Input(parts[index]) if index < len(parts) else None

    def set_field(self, index: int, value: Any) -> None:
        if index == 0:
            self.set_record(text(value))
            return
        parts = self.parts()
        if index > 32767:
            raise AwkError("field index too large")
        parts += [""] * (index + 1 - len(parts))
        parts[index] = text(value)
        self.rebuild()

    def rebuild(self) -> None:
        self.record = text(self.globals["OFS"]).join(self.fields[1:])

    def pattern(self, source: str) -> re.Pattern[str]:
        if source not in self.patterns:
            try:
                self.patterns[source] = compiled(source, extended=True, escapes=True)
            except BadPattern:
                raise AwkError(f"regular expression compile failed (bad syntax)\n{source}") from None
        return self.patterns[source]

    # Variables

    def get(self, name: str) -> Any:
        if self.locals and name in self.locals[-1]:
            return self.locals[-1][name]
        if name == "NF":
            return float(len(self.parts()) - 1)
        return self.globals.get(name)

    def set(self, name: str, value: Any) -> None:
        if self.locals and name in self.locals[-1]:
            self.locals[-1][name] = value
        elif name == "NF":
            parts, count = self.parts(), int(number(value))
            self.fields = parts[: count + 1] + [""] * (count + 1 - len(parts))
            self.rebuild()
        else:
            self.globals[name] = value

    def table(self, name: str) -> dict[str, Any]:
        scope = self.locals[-1] if self.locals and name in self.locals[-1] else self.globals
        if not isinstance(scope.get(name), dict):
            scope[name] = {}
        found: dict[str, Any] = scope[name]
        return found

    async def key(self, parts: list[Node]) -> str:
        return text(self.globals["SUBSEP"]).join([text(await self.value(part)) for part in parts])

    async def store(self, target: Node, value: Any) -> None:
        if target[0] == "group":
            target = target[1]
        if target[0] == "name":
            self.set(target[1], value)
        elif target[0] == "field":
            self.set_field(int(number(await self.value(target[1]))), value)
        elif target[0] == "item":
            self.table(target[1])[await self.key(target[2])] = value
        else:
            raise AwkError("cannot assign")

    # Statements

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

    # Values

    async def value(self, node: Node) -> Any:
        self.steps += 1
        kind = node[0]
        if kind in ("number", "string"):
            return node[1]
        if kind == "name":
            return self.get(node[1])
        if kind == "field":
            return self.field(int(number(await self.value(node[1]))))
        if kind == "regex":
            return 1.0 if self.pattern(node[1]).search(self.record) else 0.0
        if kind == "group":
            return await self.value(node[1])
        if kind == "item":
            table = self.table(node[1])
            return table.setdefault(await self.key(node[2]), None)
        if kind == "assign":
            value = await self.value(node[3])
            if node[1]:
                value = math_of(node[1], number(await self.value(node[2])), number(value))
            await self.store(node[2], value)
            return value
        if kind == "step":
            before = number(await self.value(node[2]))
            after = before + (1 if node[1] == "++" else -1)
            await self.store(node[2], after)
            return after if node[3] else before
        if kind == "join":
            left = text(await self.value(node[1]), text(self.globals["CONVFMT"]))
            return left + text(await self.value(node[2]), text(self.globals["CONVFMT"]))
        if kind == "math":
            left = number(await self.value(node[2]))
            return math_of(node[1], left, number(await self.value(node[3])))
        if kind == "sign":
            value = number(await self.value(node[2]))
            return -value if node[1] == "-" else value
        if kind == "not":
            return 0.0 if true(await self.value(node[1])) else 1.0
        if kind == "compare":
            order = compared(await self.value(node[2]), await self.value(node[3]))
            holds = {"<": order < 0, "<=": order <= 0, "==": order == 0, "!=": order != 0, ">": order > 0, ">=": order >= 0}
            return float(holds[node[1]])
        if kind == "match":
            subject = text(await self.value(node[1]))
            source = node[2][1] if node[2][0] == "regex" else text(await self.value(node[2]))
            return float((self.pattern(source).search(subject) is not None) != node[3])
        if kind == "in":
            return float(await self.key(node[1]) in self.table(node[2]))
        if kind in ("&&", "||"):
            left_true = true(await self.value(node[1]))
            if left_true == (kind == "||"):
                return float(left_true)
            return float(true(await self.value(node[2])))
        if kind == "?":
            return await self.value(node[2] if true(await self.value(node[1])) else node[3])
        if kind == "function":
            return await call(self, node[1], node[2])
        if kind == "call":
            return await self.called(node[1], node[2])
        return await self.getline(node)

    async def called(self, name: str, arguments: list[Node]) -> Any:
        if name not in self.program.functions:
            raise Usage(f"awk: line 1: function {name} never defined\n", 2)
        names, body = self.program.functions[name]
        scope: dict[str, Any] = {}
        for index, parameter in enumerate(names):
            if index >= len(arguments):
                scope[parameter] = None
            elif arguments[index][0] == "name":
                bare = arguments[index][1]
                known = self.get(bare)
                # A name without a value may become an array in the function.
                scope[parameter] = known if known is not None or bare in self.globals else self.table_if_new(bare)
            else:
                scope[parameter] = await self.value(arguments[index])
        if len(self.locals) > 100:
            raise AwkError("function call nesting too deep")
        self.locals.append(scope)
        try:
            await self.run(body)
        except Return as given:
            return given.value
        finally:
            self.locals.pop()
        return None

    def table_if_new(self, _: str) -> Any:
        return None

    async def getline(self, node: Node) -> Any:
        _, how, source, target = node
        if how == "":
            record = await self.read()
            if record is None:
                return 0.0
            self.globals["NR"] += 1.0
            self.globals["FNR"] += 1.0
        else:
            name = text(await self.value(source))
            if (how, name) not in self.sources:
                lines = await self.run_command(how, name)
                if lines is None:
                    return -1.0
                self.sources[(how, name)] = lines
            if not self.sources[(how, name)]:
                return 0.0
            record = self.sources[(how, name)].pop(0)
        if target is None:
            self.set_record(record)
        else:
            await self.store(target, Input(record))
        return 1.0


def math_of(operator: str, left: float, right: float) -> float:
    try:
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            return left * right
        if operator == "^":
            return float(left**right)
        if right == 0:
            raise AwkError("division by zero" if operator == "/" else "division by zero in %")
        return left / right if operator == "/" else math.fmod(left, right)
    except OverflowError:
        return math.inf
    except TypeError:
        return math.nan
