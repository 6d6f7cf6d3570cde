"""read, mapfile, getopts, select's question."""

from __future__ import annotations

import re
from typing import Any

from .builtins import builtin
from .streams import Stream
from .variables import ReadOnly, Variable


@builtin("read")
async def read(shell: Any, words: list[str]) -> int:
    raw, array, delimiter, most, prompt, descriptor = False, None, "\n", None, "", 0
    exact = silent = False
    at = 1
    while at < len(words) and words[at].startswith("-") and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter == "r":
                raw = True
            elif letter in "se":
                silent = letter == "s"
            elif letter in "adinNptu":
                value = letters or (words[at] if at < len(words) else None)
                at += not letters
                letters = ""
                if value is None:
                    shell.complain(f"read: -{letter}: option requires an argument")
                    return 2
                if letter == "a":
                    array = value
                elif letter == "d":
                    delimiter = value[:1] or "\0"
                elif letter in "nN":
                    if not value.isdigit():
                        shell.complain(f"read: {value}: invalid number")
                        return 1
                    most, exact = int(value), letter == "N"
                elif letter == "p":
                    prompt = value
                elif letter == "u":
                    descriptor = int(value) if value.isdigit() else -1
            else:
                shell.complain(f"read: -{letter}: invalid option")
                if shell.dialect.bash:
                    shell.say_error("read: usage: read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]\n")
                return 2
    names = words[at:]
    if not names and not array and not shell.dialect.bash:
        shell.complain("read: arg count")
        return 2
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*(\[.*\])?", name):
            shell.complain(f"read: `{name}': not a valid identifier")
            return 1
    stream = shell.fds.get(descriptor)
    if stream is None:
        shell.complain(f"read: {descriptor}: invalid file descriptor: Bad file descriptor")
        return 1
    if prompt and stream.is_tty:
        shell.say_error(prompt)
    try:
        text, ended = await taken(stream, delimiter, None if raw else "\\", most, exact=exact, silent=silent)
    except OSError:
        shell.complain(f"read: read error: {descriptor}: Bad file descriptor")
        return 1
    try:
        await give(shell, text, names, array, exact=exact)
    except ReadOnly as failure:
        shell.complain(f"{failure.name}: readonly variable")
        return 2
    return int(ended)


Signs = list[tuple[str, bool]]


async def taken(
    stream: Stream, delimiter: str, escape: str | None, most: int | None, *, exact: bool, silent: bool
) -> tuple[Signs, bool]:
    """Signs and whether each was quoted by a backslash; and whether the input ended first."""
    hide = getattr(stream, "hide", None)
    signs: Signs = []
    buffer = bytearray()
    quoted = False
    whole = delimiter == "\n" and most is None
    if silent and hide:
        hide(True)
    try:
        while most is None or len(signs) < most:
            chunk = await stream.readline() if whole else await stream.read(1)
            if not chunk:
                return signs, True
            buffer += chunk
            try:
                text = buffer.decode("utf-8")
            except UnicodeDecodeError:
                if not whole and len(buffer) < 4:
                    continue
                text = buffer.decode("utf-8", "surrogateescape")
            buffer.clear()
            for char in text:
                if quoted:
                    quoted = False
                    if char != "\n":
                        signs.append((char, True))
                elif char == escape:
                    quoted = True
                elif char == delimiter and not exact:
                    return signs, False
                elif char != "\0":
                    signs.append((char, False))
            if len(signs) > 1 << 20:
                return signs, False
        return signs, False
    finally:
        if silent and hide:
            hide(False)


async def give(shell: Any, signs: Signs, names: list[str], array: str | None, *, exact: bool) -> None:
    ifs = shell.vars.get("IFS")
    ifs = " \t\n" if ifs is None else ifs
    text = "".join(char for char, _ in signs)
    if array is not None:
        fields = split(signs, ifs, None)
        shell.vars.put(array, Variable(dict(enumerate(fields)), array="a"))
        return
    if not names:
        shell.vars.set("REPLY", text)
        return
    if exact:
        fields = [text]
    else:
        fields = split(signs, ifs, len(names))
    for at, name in enumerate(names):
        value = fields[at] if at < len(fields) else ""
        found = re.fullmatch(r"(\w+)\[(.*)\]", name)
        if found:
            shell.vars.set_item(found.group(1), await shell.expander.key(found.group(1), found.group(2)), value)
        else:
            shell.vars.set(name, value)


def split(signs: Signs, ifs: str, most: int | None) -> list[str]:
    """Fields; the last of `most` keeps what is left, but for the blanks at its end."""
    blanks = [char for char in ifs if char in " \t\n"]
    start, end = 0, len(signs)

    def blank(at: int) -> bool:
        return signs[at][0] in blanks and not signs[at][1]

    def separator(at: int) -> bool:
        return signs[at][0] in ifs and not signs[at][1]

    while start < end and blank(start):
        start += 1
    while end > start and blank(end - 1):
        end -= 1
    fields: list[str] = []
    at = start
    while at < end:
        if most is not None and len(fields) == most - 1:
            rest = signs[at:end]
            # One separator that only ends the last field goes.
            if rest and separator(end - 1) and not any(separator(place) for place in range(at, end - 1)):
                rest = rest[:-1]
            fields.append("".join(char for char, _ in rest))
            break
        begin = at
        while at < end and not separator(at):
            at += 1
        fields.append("".join(char for char, _ in signs[begin:at]))
        while at < end and blank(at):
            at += 1
        if at < end and separator(at) and not blank(at):
            at += 1
            while at < end and blank(at):
                at += 1
        elif at < end and begin == at:
            at += 1
    return fields


@builtin("mapfile", "readarray", bash=True)
async def mapfile(shell: Any, words: list[str]) -> int:
    trim, most, skip, delimiter, name = False, 0, 0, "\n", "MAPFILE"
    at = 1
    while at < len(words) and words[at].startswith("-"):
        flag = words[at]
        at += 1
        if flag == "-t":
            trim = True
        elif flag[1:2] in ("n", "s", "d", "O", "u", "C", "c") and at < len(words) + 1:
            value = flag[2:] or (words[at] if at < len(words) else "")
            at += not flag[2:]
            if flag[1] == "n":
                most = int(value or 0)
            elif flag[1] == "s":
                skip = int(value or 0)
            elif flag[1] == "d":
                delimiter = value[:1] or "\0"
    if at < len(words):
        name = words[at]
    stream = shell.fds.get(0)
    lines: list[str] = []
    data = b"" if stream is None else await stream.read(-1)
    text = data.decode("utf-8", "surrogateescape")
    while text and (not most or len(lines) < most + skip):
        piece, mark, text = text.partition(delimiter)
        lines.append(piece if trim else piece + mark)
    shell.vars.put(name, Variable(dict(enumerate(lines[skip:])), array="a"))
    return 0
