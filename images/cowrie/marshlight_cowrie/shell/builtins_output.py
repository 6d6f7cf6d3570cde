"""echo, printf, test and `[`."""

from __future__ import annotations

import re
from typing import Any

from .builtins import builtin, out
from .conditional import COMPARISONS, binary, unary
from .printf import FormatFailure, formatted

ECHO_ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|0[0-7]{0,3}|.)", re.S)


@builtin("echo")
async def echo(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    line_end, escapes = True, shell.option("xpg_echo") or shell.dialect.kind == "dash"
    allowed = "neE" if shell.dialect.kind != "dash" else "n"
    while operands and re.fullmatch(f"-[{allowed}]+", operands[0]):
        flags = operands.pop(0)
        line_end = line_end and "n" not in flags
        for flag in flags[1:]:
            escapes = flag == "e" if flag in "eE" else escapes
    text = " ".join(operands)
    if escapes:
        if shell.dialect.kind == "ash":
            # Octal digits stand without a nought before them, too.
            text = re.sub(r"(\\\\)|\\([1-7][0-7]{0,2})", lambda found: found[1] or f"\\0{found[2]}", text)
        text, stopped = unescaped(text)
        line_end = line_end and not stopped
    out(shell, text + ("\n" if line_end else ""))
    return 0


def unescaped(text: str) -> tuple[str, bool]:
    """With escapes of `echo -e` and `%b` replaced; whether `\\c` ended it."""
    made: list[str] = []
    at = 0
    for found in ESCAPE.finditer(text):
        mark = found.group(1)
        made.append(text[at : found.start()])
        at = found.end()
        if mark == "c":
            return "".join(made), True
        if mark in ECHO_ESCAPES:
            made.append(ECHO_ESCAPES[mark])
        elif mark[0] == "0":
            made.append(byte_text(int(mark[1:] or "0", 8)))
        elif mark[0] == "x" and len(mark) > 1:
            made.append(byte_text(int(mark[1:], 16)))
        elif mark[0] in "uU" and len(mark) > 1:
            made.append(chr(min(int(mark[1:], 16), 0x10FFFF)))
        else:
            made.append("\\" + mark)
    return joined_bytes("".join(made) + text[at:]), False


def byte_text(value: int) -> str:
    value &= 255
    return chr(value) if value < 128 else chr(0xDC00 + value)


def joined_bytes(text: str) -> str:
    """Single bytes that make a sign together become it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


@builtin("printf")
async def printf(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    variable = None
    if operands[:1] == ["-v"] and len(operands) > 1 and shell.dialect.bash:
        variable, operands = operands[1], operands[2:]
    if operands[:1] == ["--"]:
        operands = operands[1:]
    elif operands and operands[0].startswith("-") and len(operands[0]) > 1 and shell.dialect.bash:
        shell.complain(f"printf: {operands[0][:2]}: invalid option")
        shell.say_error("printf: usage: printf [-v var] format [arguments]\n")
        return 2
    if not operands:
        if shell.dialect.bash:
            shell.say_error("printf: usage: printf [-v var] format [arguments]\n")
        else:
            shell.complain("printf: usage: printf format [arg ...]")
        return 2
    try:
        text, problems = formatted(operands[0], operands[1:], shell.system.host.now(), dash=shell.dialect.kind == "dash", strict=shell.dialect.kind == "ash")
    except FormatFailure as failure:
        out(shell, failure.text)
        shell.complain(f"printf: {failure}")
        return 1 if shell.dialect.kind != "dash" else 2
    if variable is not None:
        from .assign import split_assignment

        name, index, _, _ = split_assignment(variable)
        if index is None:
            shell.vars.set(name, text)
        else:
            shell.vars.set_item(name, await shell.expander.key(name, index), text)
    else:
        out(shell, text)
    for problem in problems:
        shell.complain(f"printf: {problem}")
    return int(bool(problems))


class TestFailure(Exception):
    """The wording after `test: `."""


@builtin("test", "[")
async def test(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    if words[0] == "[":
        if operands[-1:] != ["]"]:
            shell.complain("[: missing `]'" if shell.dialect.bash else "[: missing ]")
            return 2
        operands = operands[:-1]
    try:
        return int(not Question(shell, operands).whole())
    except TestFailure as failure:
        shell.complain(f"{words[0]}: {failure}")
        return 2


UNARY = set("abcdefghknoprstuvwxzGLNOSR")


class Question:
    """POSIX: what 1 to 4 operands mean goes by their number; beyond that by precedence."""

    def __init__(self, shell: Any, operands: list[str]) -> None:
        self.shell, self.operands, self.at = shell, operands, 0

    def whole(self) -> bool:
        operands = self.operands
        if len(operands) <= 4:
            found = self.by_number(operands)
            if found is not None:
                return found
        answer = self.either()
        if self.at < len(operands):
            raise TestFailure("too many arguments" if self.shell.dialect.bash else f"{operands[self.at]}: unexpected operator")
        return answer

    def by_number(self, words: list[str]) -> bool | None:
        if not words:
            return False
        if len(words) == 1:
            return bool(words[0])
        if len(words) == 2:
            if words[0] == "!":
                return not words[1]
            if self.is_unary(words[0]):
                return self.one(words[0], words[1])
            raise TestFailure(f"{words[0]}: unary operator expected" if self.shell.dialect.bash else f"{words[0]}: unexpected operator")
        if len(words) == 3:
            if self.is_binary(words[1]):
                return self.two(*words)
            if words[1] in ("-a", "-o"):
                left, right = bool(words[0]), bool(words[2])
                return (left and right) if words[1] == "-a" else (left or right)
            if words[0] == "!":
                found = self.by_number(words[1:])
                return None if found is None else not found
            if words[0] == "(" and words[2] == ")":
                return bool(words[1])
            # dash names the one before it.
            named = words[0] if self.shell.dialect.kind == "dash" else words[1]
            raise TestFailure(f"{words[1]}: binary operator expected" if self.shell.dialect.bash else f"{named}: unexpected operator")
        if words[0] == "!":
            found = self.by_number(words[1:])
            return None if found is None else not found
        if words[0] == "(" and words[3] == ")":
            return self.by_number(words[1:3])
        return None

    def is_unary(self, word: str) -> bool:
        return len(word) == 2 and word[0] == "-" and word[1] in UNARY

    def is_binary(self, word: str) -> bool:
        more = ("==",) if self.shell.dialect.kind != "dash" else ()
        return word in ("=", "!=", "<", ">", "-nt", "-ot", "-ef", *more) or word in COMPARISONS

    def either(self) -> bool:
        left = self.both()
        while self.peek() == "-o":
            self.at += 1
            left = self.both() or left
        return left

    def both(self) -> bool:
        left = self.primary()
        while self.peek() == "-a":
            self.at += 1
            left = self.primary() and left
        return left

    def peek(self, ahead: int = 0) -> str | None:
        at = self.at + ahead
        return self.operands[at] if at < len(self.operands) else None

    def primary(self) -> bool:
        word = self.peek()
        if word is None:
            raise TestFailure("argument expected")
        following = self.peek(1)
        if following is not None and self.is_binary(following) and self.peek(2) is not None:
            self.at += 3
            return self.two(word, following, self.operands[self.at - 1])
        if word == "!":
            self.at += 1
            return not self.primary()
        if word == "(":
            self.at += 1
            answer = self.either()
            if self.peek() != ")":
                raise TestFailure("`)' expected")
            self.at += 1
            return answer
        if self.is_unary(word) and following is not None:
            self.at += 2
            return self.one(word, following)
        self.at += 1
        return bool(word)

    def one(self, operator: str, operand: str) -> bool:
        if operator == "-t" and not operand.strip().lstrip("-").isdigit():
            raise TestFailure(f"{operand}: integer expression expected")
        return unary(self.shell, operator, operand)

    def two(self, left: str, operator: str, right: str) -> bool:
        if operator in COMPARISONS:
            return bool(COMPARISONS[operator](self.number(left), self.number(right)))
        return binary(self.shell, operator, left, right)

    def number(self, text: str) -> int:
        if not re.fullmatch(r"\s*[+-]?\d+\s*", text):
            wording = f"{text}: integer expression expected" if self.shell.dialect.bash else f"Illegal number: {text}"
            raise TestFailure(wording)
        return int(text)
