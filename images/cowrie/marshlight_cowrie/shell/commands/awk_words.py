"""The words of an awk program."""

from __future__ import annotations

import re
from dataclasses import dataclass

KEYWORDS = frozenset(
    "BEGIN END function func if else while for do break continue next nextfile exit return delete in getline print printf".split()
)
FUNCTIONS = frozenset(
    "length substr index split sub gsub match sprintf sin cos atan2 exp log sqrt int rand srand tolower toupper system close "
    "fflush strftime systime mktime gensub and or xor lshift rshift compl".split()
)
SYMBOLS = (
    *("**=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "==", "<=", ">=", "!=", ">>", "**", "|&"),
    *"{}()[];,+-*/%^!<>|?:~$=",
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
NAME = re.compile(r"[A-Za-z_]\w*")
#: After these a slash divides; after anything else it opens an expression.
VALUES = frozenset({"number", "string", "name", "function", "regex"})


class AwkError(Exception):
    pass


@dataclass
class Word:
    """`kind`: number, string, regex, name, call (a name with its parenthesis), function, keyword, symbol, newline, end."""

    kind: str
    text: str
    line: int


def words_of(source: str) -> list[Word]:
    words: list[Word] = []
    at, line = 0, 1
    while at < len(source):
        c = source[at]
        if c == "\n":
            words.append(Word("newline", "\n", line))
            line += 1
            at += 1
        elif c in " \t\r":
            at += 1
        elif c == "\\" and source[at + 1 : at + 2] == "\n":
            at, line = at + 2, line + 1
        elif c == "#":
            end = source.find("\n", at)
            at = len(source) if end < 0 else end
        elif c == '"':
            text, at = string(source, at + 1)
            words.append(Word("string", text, line))
        elif c == "/" and not (words and (words[-1].kind in VALUES or words[-1].text in (")", "]", "$", "++", "--"))):
            text, at = expression(source, at + 1)
            words.append(Word("regex", text, line))
        elif found := NUMBER.match(source, at):
            words.append(Word("number", found[0], line))
            at = found.end()
        elif found := NAME.match(source, at):
            at = found.end()
            name = found[0]
            if name in KEYWORDS:
                kind = "keyword"
            elif name in FUNCTIONS:
                kind = "function"
            else:
                kind = "call" if source[at : at + 1] == "(" else "name"
            words.append(Word(kind, "function" if name == "func" else name, line))
        else:
            symbol = next((s for s in SYMBOLS if source.startswith(s, at)), None)
            if symbol is None:
                raise AwkError(f"line {line}: syntax error at or near {c}")
            at += len(symbol)
            words.append(Word("symbol", {"**": "^", "**=": "^="}.get(symbol, symbol), line))
    words.append(Word("end", "end of file", line))
    return words


def string(source: str, at: int) -> tuple[str, int]:
    made = ""
    while at < len(source):
        c = source[at]
        at += 1
        if c == '"':
            return made, at
        if c == "\n":
            break
        if c == "\\" and at < len(source):
            octal = re.match(r"[0-7]{1,3}", source[at:])
            c = source[at]
            if octal:
                made += chr(int(octal[0], 8) & 255)
                at += octal.end()
            elif c == "\n":
                at += 1
            else:
                made += ESCAPES.get(c, "\\" + c)
                at += 1
        else:
            made += c
    raise AwkError(f'runaway string constant "{made[:12]} ...')


def expression(source: str, at: int) -> tuple[str, int]:
    made = ""
    bracket = False
    while at < len(source):
        c = source[at]
        at += 1
        if c == "/" and not bracket:
            return made, at
        if c == "\n":
            break
        if c == "\\" and at < len(source):
            made += "/" if source[at] == "/" else c + source[at]
            at += 1
            continue
        if c == "[" and not bracket:
            bracket = True
            if source[at : at + 1] in ("]", "^"):
                made += c
                c = source[at]
                at += 1
        elif c == "]":
            bracket = False
        made += c
    raise AwkError(f"runaway regular expression /{made[:12]} ...")
