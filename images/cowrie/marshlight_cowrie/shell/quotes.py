"""Reads what one kind of quote encloses: `'...'`, `$'...'`, backticks; and names the signs that words are made of."""

from __future__ import annotations

import re

from .cursor import Cursor, Incomplete
from .nodes import Node, Substitution, Text

METACHARACTERS = " \t\n;&|<>()"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SPECIAL = "@*#?-$!"
ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ESCAPES |= {mark: mark for mark in "\\'\"?"}
NUMERIC = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)", re.S)


class QuoteReader(Cursor):
    extglob = False
    #: Of dash: no `$'`, no arrays in `${}`.
    plain_posix = False
    #: Arrays, `((`, `<(`, `<<<`, `+=` and `select` are bash's alone.
    plain_ash = False

    @property
    def plain(self) -> bool:
        return self.plain_posix or self.plain_ash

    def parse_until(self, closer: str) -> list[Node]:
        """The commands of a substitution: read by the parser that owns the cursor."""
        raise NotImplementedError

    def parse_text(self, text: str, line: int) -> list[Node]:
        raise NotImplementedError

    def single(self) -> Text:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise Incomplete(self.line, "'")
        text = self.text[self.at + 1 : end]
        self.at = end + 1
        return Text(text, quoted=True)

    def backtick(self, *, quoted: bool) -> Substitution:
        line, out = self.line, []
        self.at += 1
        while True:
            if self.over:
                raise Incomplete(self.line, "`", opened=line)
            char = self.text[self.at]
            if char == "`":
                self.at += 1
                break
            if char == "\\":
                after = self.peek(1)
                if after and (after in "$`\\" or (quoted and after == '"')):
                    out.append(after)
                elif after != "\n":
                    out.append("\\" + after)
                else:
                    out.append("\\\n")
                self.at += 2
                continue
            out.append(char)
            self.at += 1
        return Substitution(self.parse_text("".join(out), line), quoted)

    def ansi(self) -> str:
        """`$'...'`, the opening taken already. Bytes above 127 stay bytes."""
        out, line = bytearray(), self.line
        while True:
            if self.over:
                raise Incomplete(self.line, "'", opened=line)
            char = self.text[self.at]
            self.at += 1
            if char == "'":
                break
            if char == "\\":
                after = self.peek()
                number = NUMERIC.match(self.text, self.at)
                if after in ESCAPES and after:
                    out += ESCAPES[after].encode()
                    self.at += 1
                elif number:
                    out += coded(number)
                    self.at = number.end()
                else:
                    out += b"\\"
            else:
                out += char.encode("utf-8", "surrogateescape")
        return bytes(out).partition(b"\0")[0].decode("utf-8", "surrogateescape")


def coded(number: re.Match[str]) -> bytes:
    two, four, eight, octal, control = number.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 255])
    if two is not None:
        return bytes([int(two, 16)])
    if control is not None:
        return bytes([ord(control.upper()) & 31])
    point = int(four or eight, 16)
    return chr(point).encode("utf-8", "surrogateescape") if point < 0x110000 else b""
