"""The state of an awk program: records, fields, variables."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .awk_parser import Program
from .awk_values import Input, number, text
from .awk_words import AwkError
from .regex import BadPattern, compiled

if TYPE_CHECKING:
    from ..ports import Process

#: Evaluations after which a program that never ends is ended.
MOST_STEPS = 5_000_000


class Records:
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
