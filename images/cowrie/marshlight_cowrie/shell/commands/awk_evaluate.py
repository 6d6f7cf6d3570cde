"""The value of an expression of awk."""

from __future__ import annotations

import math
from typing import Any

from .awk_functions import call
from .awk_parser import Node
from .awk_records import Records
from .awk_values import Input, compared, number, text, true
from .awk_words import AwkError
from .options import Usage


class Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Evaluation(Records):
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
