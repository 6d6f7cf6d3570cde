"""The functions that awk brings with it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from .awk_expressions import Node
from .awk_values import Input, formatted, number, text

if TYPE_CHECKING:
    from .awk_run import Machine


async def call(m: Machine, name: str, arguments: list[Node]) -> Any:
    if name == "length" and arguments and arguments[0][0] == "name" and isinstance(m.get(arguments[0][1]), dict):
        return float(len(m.table(arguments[0][1])))
    if name in ("split", "sub", "gsub", "match"):
        return await {"split": split, "sub": substitute, "gsub": substitute, "match": match}[name](m, name, arguments)
    values = [await m.value(argument) for argument in arguments]
    first = values[0] if values else None
    if name == "length":
        return float(len(text(first) if arguments else m.record))
    if name == "substr":
        return cut(text(first), number(values[1]), number(values[2]) if len(values) > 2 else math.inf)
    if name == "index":
        return float(text(first).find(text(values[1])) + 1)
    if name == "sprintf":
        return formatted(text(first), values[1:])
    if name in ("tolower", "toupper"):
        return text(first).lower() if name == "tolower" else text(first).upper()
    if name == "int":
        return float(math.trunc(number(first)))
    if name == "rand":
        return m.random.random()
    if name == "srand":
        m.random.seed(number(first))
        return 0.0
    if name in ("system", "close", "fflush"):
        return float(await m.run_command(name, text(first)) or 0)
    if name == "systime":
        return float(int(m.p.host.now()))
    if name == "strftime":
        moment = number(values[1]) if len(values) > 1 else m.p.host.now()
        return time.strftime(text(first) if values else "%c", time.gmtime(moment))
    if name == "atan2":
        return math.atan2(number(first), number(values[1]))
    try:
        return {"sin": math.sin, "cos": math.cos, "exp": math.exp, "log": math.log, "sqrt": math.sqrt}[name](number(first))
    except (ValueError, KeyError):
        return math.nan if name != "log" or number(first) else -math.inf
    except OverflowError:
        return math.inf


def cut(subject: str, start: float, length: float) -> str:
    if math.isnan(start) or math.isnan(length):
        return ""
    begin = round_half_even(start)
    end = begin + round_half_even(length) if length != math.inf else len(subject) + 1
    return subject[max(begin, 1) - 1 : max(end - 1, 0)]


def round_half_even(value: float) -> int:
    return round(value) if abs(value) < 1e9 else int(math.copysign(1e9, value))


def source_of(node: Node, value: Any) -> str:
    return node[1] if node[0] == "regex" else text(value)


async def split(m: Machine, _: str, arguments: list[Node]) -> float:
    subject = text(await m.value(arguments[0]))
    if len(arguments) > 2:
        node = arguments[2]
        separator = node[1] if node[0] == "regex" else text(await m.value(node))
    else:
        separator = text(m.globals["FS"])
    parts = m.cut(subject, separator)
    table = m.table(arguments[1][1])
    table.clear()
    table.update({str(index): Input(part) for index, part in enumerate(parts, 1)})
    return float(len(parts))


async def match(m: Machine, _: str, arguments: list[Node]) -> float:
    subject = text(await m.value(arguments[0]))
    node = arguments[1]
    found = m.pattern(node[1] if node[0] == "regex" else text(await m.value(node))).search(subject)
    m.globals["RSTART"] = float(found.start() + 1) if found else 0.0
    m.globals["RLENGTH"] = float(found.end() - found.start()) if found else -1.0
    return float(m.globals["RSTART"])


async def substitute(m: Machine, name: str, arguments: list[Node]) -> float:
    node = arguments[0]
    pattern = m.pattern(node[1] if node[0] == "regex" else text(await m.value(node)))
    replacement = text(await m.value(arguments[1]))
    target = arguments[2] if len(arguments) > 2 else ("field", ("number", 0.0))
    subject = text(await m.value(target))

    def made(found: Any) -> str:
        out, at = "", 0
        while at < len(replacement):
            c = replacement[at]
            if c == "\\" and replacement[at + 1 : at + 2] in ("&", "\\"):
                at += 1
                out += replacement[at]
            else:
                out += found[0] if c == "&" else c
            at += 1
        return out

    changed, count = pattern.subn(made, subject, count=0 if name == "gsub" else 1)
    if count:
        await m.store(target, changed)
    return float(count)
