"""The lines that sed goes through, and which of them an address means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .options import Options, Usage
from .sed_edits import Address, Edit

if TYPE_CHECKING:
    from ..ports import Process


class Lines:
    def __init__(self, p: Process, options: Options, edits: list[Edit]) -> None:
        self.p, self.quiet, self.edits, self.options = p, "n" in options, edits, options
        self.made = bytearray()
        self.to_file = False
        self.files: dict[str, bytearray] = {}
        self.hold, self.space = "", ""
        self.number, self.queue = 0, [""]
        self.appended: list[str] = []
        self.last: re.Pattern[str] | None = None
        self.steps, self.missing_end = 0, False

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        if self.to_file:
            self.made += data
        else:
            self.p.stdout.write(data)

    def next_line(self) -> None:
        line = self.queue.pop(0)
        self.missing_end = not line.endswith("\n")
        self.space = line.removesuffix("\n")
        self.number += 1

    def show(self, text: str, ends: bool = True) -> None:
        self.write(text + ("" if self.missing_end and not self.queue and ends else "\n"))

    def flush(self) -> None:
        for text in self.appended:
            self.write(text)
        self.appended = []

    def finish(self) -> None:
        if not self.quiet:
            self.show(self.space)
        self.flush()

    def matches(self, address: Address) -> bool:
        if address.kind == "line":
            return self.number == address.line
        if address.kind == "last":
            return not self.queue
        if address.kind == "step":
            if address.step <= 0:
                return self.number == address.line
            return self.number >= address.line and (self.number - address.line) % address.step == 0
        pattern = address.pattern or self.last
        if pattern is None:
            raise Usage("sed: no previous regular expression\n")
        self.last = pattern
        return pattern.search(self.space) is not None

    def selected(self, edit: Edit) -> bool:
        if edit.first is None:
            return not edit.inverted
        if edit.last is None:
            return self.matches(edit.first) != edit.inverted
        if edit.open:
            end = edit.last
            if end.kind in ("line", "more", "multiple"):
                limit = end.line if end.kind == "line" else edit.until
                edit.open = self.number < limit
                return (self.number <= limit) != edit.inverted if end.kind == "line" else not edit.inverted
            edit.open = not self.matches(end)
            return not edit.inverted
        zero = edit.first.kind == "line" and edit.first.line == 0
        if zero and self.number == 1 or not zero and self.matches(edit.first):
            end = edit.last
            if end.kind == "line":
                edit.open = end.line > self.number
            elif end.kind in ("more", "multiple"):
                step = end.line
                edit.until = self.number + step if end.kind == "more" else -(-self.number // step) * step if step else 0
                edit.open = edit.until > self.number
            else:
                edit.open = not (zero and self.matches(end)) if zero else bool(self.queue) or end.kind != "last"
            return not edit.inverted
        return edit.inverted
