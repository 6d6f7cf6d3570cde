"""A sed script read into commands; the complaints are those of GNU sed 4.9."""

from __future__ import annotations

import re

from .regex import BadPattern, compiled
from .sed_edits import Address, BadScript, Edit, replacement


def read_script(script: str, extended: bool) -> list[Edit]:
    return Reader(script, extended).read()


class Reader:
    def __init__(self, script: str, extended: bool) -> None:
        self.script, self.at, self.extended = script, 0, extended
        self.edits: list[Edit] = []
        self.labels: dict[str, int] = {}

    def bad(self, text: str) -> BadScript:
        return BadScript(self.at, text)

    def peek(self) -> str:
        return self.script[self.at : self.at + 1]

    def take(self) -> str:
        c = self.peek()
        self.at += 1
        return c

    def blanks(self, more: str = "") -> None:
        while self.peek() and self.peek() in " \t" + more:
            self.at += 1

    def read(self) -> list[Edit]:
        blocks: list[int] = []
        while True:
            self.blanks("\n;")
            if not self.peek():
                break
            if self.peek() == "#":
                self.line()
                continue
            edit = Edit("")
            edit.first = self.address()
            if edit.first:
                self.blanks()
                if self.peek() == ",":
                    self.at += 1
                    self.blanks()
                    edit.last = self.address(second=True)
                    if not edit.last:
                        self.at += 1
                        raise self.bad("unexpected `,'")
            self.blanks()
            while self.peek() == "!":
                self.at += 1
                edit.inverted = True
                self.blanks()
            edit.name = self.take()
            if not edit.name or edit.name in "\n;":
                self.at -= not edit.name
                raise self.bad("missing command")
            if edit.name == "}":
                if not blocks:
                    raise self.bad("unexpected `}'")
                self.edits[blocks.pop()].target = len(self.edits)
                self.end()
                continue
            self.edits.append(edit)
            self.command(edit, blocks)
        if blocks:
            raise BadScript(0, "unmatched `{'")
        for edit in self.edits:
            if edit.name in "btT" and edit.text:
                if edit.text not in self.labels:
                    raise BadScript(-1, f"can't find label for jump to `{edit.text}'")
                edit.target = self.labels[edit.text]
            elif edit.name in "btT":
                edit.target = len(self.edits)
        return self.edits

    def command(self, edit: Edit, blocks: list[int]) -> None:
        name = edit.name
        if name == "{":
            blocks.append(len(self.edits) - 1)
        elif name in "dDgGhHnNpPxz=lF":
            self.end()
        elif name in "qQ":
            self.blanks()
            edit.text = self.word("0123456789")
            self.end()
        elif name in "aic":
            edit.text = self.text()
        elif name in ":btT":
            self.blanks()
            start = self.at
            while self.peek() and self.peek() not in ("\n" if name == ":" else "\n;}"):
                self.at += 1
            edit.text = self.script[start : self.at].strip()
            if name == ":":
                if not edit.text:
                    raise self.bad('":" lacks a label')
                self.labels[edit.text.split(";")[0]] = len(self.edits)
        elif name in "rRwW":
            self.blanks()
            edit.file = self.line()
            if not edit.file:
                raise self.bad("missing filename in r/R/w/W commands")
        elif name == "s":
            self.substitute(edit)
        elif name == "y":
            self.transliterate(edit)
        elif name == "e":
            edit.text = self.line()
        else:
            raise self.bad(f"unknown command: `{name}'")

    def word(self, allowed: str) -> str:
        start = self.at
        while self.peek() and self.peek() in allowed:
            self.at += 1
        return self.script[start : self.at]

    def line(self) -> str:
        start = self.at
        end = self.script.find("\n", start)
        self.at = len(self.script) if end < 0 else end
        return self.script[start : self.at]

    def end(self) -> None:
        self.blanks()
        if self.peek() and self.peek() not in "\n;}#":
            self.at += 1
            raise self.bad("extra characters after command")

    def text(self) -> str:
        self.blanks()
        if self.peek() == "\\":
            self.at += 1
            self.blanks()
            if self.peek() == "\n":
                self.at += 1
        if not self.peek():
            raise self.bad("expected \\ after `a', `c' or `i'")
        made = ""
        while self.peek() and self.peek() != "\n":
            c = self.take()
            made += self.take() if c == "\\" and self.peek() else c
        return made

    def address(self, second: bool = False) -> Address | None:
        c = self.peek()
        if c.isdigit():
            line = int(self.word("0123456789"))
            if self.peek() == "~":
                self.at += 1
                return Address("step", line, int(self.word("0123456789") or 0))
            return Address("line", line)
        if second and c and c in "+~":
            self.at += 1
            return Address("more" if c == "+" else "multiple", int(self.word("0123456789") or 0))
        if c == "$":
            self.at += 1
            return Address("last")
        if c and c in "/\\":
            self.at += 1
            delimiter = self.take() if c == "\\" else c
            text = self.delimited(delimiter, "unterminated address regex")
            flags = self.word("IM")
            return Address("match", pattern=self.compiled(text, "I" in flags))
        return None

    def compiled(self, text: str, ignore_case: bool = False) -> re.Pattern[str] | None:
        if not text:
            return None
        try:
            return compiled(text, extended=self.extended, ignore_case=ignore_case, escapes=True)
        except BadPattern as error:
            raise self.bad(str(error)) from None

    def delimited(self, delimiter: str, missing: str, newline_bad: bool = True) -> str:
        made = ""
        bracket = False
        while True:
            c = self.take()
            if not c or c == "\n" and newline_bad:
                self.at = min(self.at, len(self.script))
                raise self.bad(missing)
            if c == "\\" and self.peek():
                after = self.take()
                made += after if after == delimiter and delimiter not in "()|.*[]^$" else "\n" if after == "\n" else c + after
            elif c == delimiter and not bracket:
                return made
            else:
                made += c

    def substitute(self, edit: Edit) -> None:
        delimiter = self.take()
        missing = "unterminated `s' command"
        if not delimiter or delimiter in "\n\\":
            raise self.bad(missing)
        source = self.delimited(delimiter, missing, newline_bad=False)
        target = self.delimited(delimiter, missing, newline_bad=False)
        flags = ""
        while self.peek() and self.peek() not in "\n;}# ":
            c = self.take()
            if c.isdigit():
                edit.nth = int(c + self.word("0123456789"))
                if edit.nth == 0:
                    raise self.bad("number option to `s' command may not be zero")
            elif c == "w":
                self.blanks()
                edit.file = self.line()
            elif c in "gpiIemM":
                flags += c
            else:
                raise self.bad("unknown option to `s'")
        self.end()
        edit.every, edit.prints = "g" in flags, "p" in flags
        edit.pattern = self.compiled(source, "i" in flags or "I" in flags)
        edit.replacement = replacement(target)
        groups = edit.pattern.groups if edit.pattern else 9
        for kind, value in edit.replacement:
            if kind == "group" and int(value) > groups:
                raise self.bad(f"invalid reference \\{value} on `s' command's RHS")

    def transliterate(self, edit: Edit) -> None:
        delimiter = self.take()
        parts = []
        for _ in range(2):
            text = self.delimited(delimiter, "unterminated `y' command", newline_bad=False)
            parts.append(re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text))
        if len(parts[0]) != len(parts[1]):
            raise self.bad("strings for `y' command are different lengths")
        edit.table = str.maketrans(parts[0], parts[1])
        self.end()
