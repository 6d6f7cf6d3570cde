"""sed: runs a script over lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .inputs import split, whole
from .options import Options, Usage, complain, parse
from .sed_script import Address, BadScript, Edit, read_script
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

USAGE = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n"
#: A script that never ends must not hold the decoy.
MOST_STEPS = 2_000_000


async def sed(p: Process) -> int:
    options = parse(
        p,
        "nEre:f:i::l:suz",
        "quiet:n silent:n expression=:e file=:f in-place=?:i regexp-extended:E separate:s unbuffered:u null-data:z "
        "version help posix debug sandbox follow-symlinks line-length=:l",
        hint=False,
    )
    if "version" in options:
        p.out("sed (GNU sed) 4.9\n")
        return 0
    operands = list(options.operands)
    pieces = []
    for name, value in options.given:
        if name == "e":
            pieces.append(value)
        elif name == "f":
            try:
                text = (await whole(p, value)).decode("utf-8", "surrogateescape").removesuffix("\n")
            except OSError as error:
                raise Usage(f"sed: couldn't open file {value}: {strerror(error)}\n", 4) from None
            pieces.append(text.partition("\n")[2] if text.startswith("#!") else text)
    if not pieces:
        if not operands:
            raise Usage(USAGE, 1 if len(p.args) > 1 else 1)
        pieces.append(operands.pop(0))
    try:
        edits = read_script("\n".join(pieces), options.any("Er"))
    except BadScript as error:
        where = f"-e expression #1, char {error.at}" if error.at >= 0 else "-e expression #1"
        text = f"sed: {where}: {error.text}\n" if error.at >= 0 else f"sed: {error.text}\n"
        raise Usage(text) from None
    if not options.any("is"):
        return await Run(p, options, edits).over(operands or ["-"], None)
    status = 0
    for name in operands or ["-"]:
        target = name if "i" in options else None
        status = max(status, await Run(p, options, edits).over([name], target))
    return status


class Run:
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

    async def over(self, names: list[str], target: str | None) -> int:
        status = 0
        lines: list[str] = []
        for name in names:
            try:
                data = await whole(self.p, name)
            except IsADirectoryError:
                text = f"couldn't edit {name}: not a regular file" if target else f"read error on {name}: Is a directory"
                complain(self.p, text)
                status = 4 if target else 2
                continue
            except OSError as error:
                complain(self.p, f"can't read {name}: {strerror(error)}")
                status = 2
                continue
            lines += [line.decode("utf-8", "surrogateescape") for line in split(data)]
            if lines and not lines[-1].endswith("\n") and name != names[-1]:
                lines[-1] += "\n"
        if target and status:
            return status
        self.to_file = target is not None
        self.queue = lines
        code: int | None = None
        while self.queue and code is None:
            self.next_line()
            code = self.cycle()
        if target is not None:
            path, suffix = self.p.path(target), self.options.text("i")
            if suffix:
                backup = suffix.replace("*", target.rsplit("/", 1)[-1]) if "*" in suffix else target + suffix
                self.p.fs.write(self.p.path(backup), self.p.fs.read(path))
            self.p.fs.write(path, bytes(self.made) + "".join(self.queue).encode("utf-8", "surrogateescape"))
        for name, data in self.files.items():
            self.p.fs.write(self.p.path(name), bytes(data), mode=0o666 & ~self.p.umask)
        return code if code else status

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

    def cycle(self) -> int | None:
        at, replaced = 0, False
        while at < len(self.edits):
            self.steps += 1
            if self.steps > MOST_STEPS:
                return 4
            edit = self.edits[at]
            at += 1
            if not self.selected(edit):
                if edit.name == "{":
                    at = edit.target
                continue
            name = edit.name
            if name == "s":
                replaced = self.substitute(edit) or replaced
            elif name == "d":
                self.flush()
                return None
            elif name == "D":
                head, newline, rest = self.space.partition("\n")
                self.flush()
                if not newline:
                    return None
                self.space, at = rest, 0
            elif name == "p":
                self.show(self.space)
            elif name == "P":
                self.write(self.space.partition("\n")[0] + "\n")
            elif name in "qQ":
                if name == "q":
                    self.finish()
                if not self.to_file:
                    self.queue = []
                return int(edit.text or 0) or -0 if edit.text else 0
            elif name in "nN":
                if not self.queue:
                    if name == "N" or not self.quiet:
                        self.finish()
                    return None
                before = self.space
                if name == "n":
                    if not self.quiet:
                        self.show(self.space)
                    self.flush()
                self.next_line()
                if name == "N":
                    self.space = f"{before}\n{self.space}"
            elif name == "a":
                self.appended.append(edit.text + "\n")
            elif name == "i":
                self.write(edit.text + "\n")
            elif name == "c":
                if edit.last is None or not edit.open or edit.inverted:
                    self.write(edit.text + "\n")
                self.flush()
                return None
            elif name in "bTt":
                if name == "b" or (name == "t") == replaced:
                    at = edit.target
                if name != "b":
                    replaced = False
            elif name == "r":
                try:
                    self.appended.append(self.p.fs.read(self.p.path(edit.file)).decode("utf-8", "surrogateescape"))
                except OSError:
                    pass
            elif name == "w":
                self.kept(edit.file, self.space + "\n")
            elif name == "=":
                self.write(f"{self.number}\n")
            elif name == "y":
                self.space = self.space.translate(edit.table)
            elif name == "l":
                text = self.space.encode("unicode_escape").decode().replace("\\x1b", "\\033")
                self.write(text + "$\n")
            elif name == "z":
                self.space = ""
            elif name == "F":
                self.write("-\n")
            else:
                self.hold_space(name)
        self.finish()
        return None

    def hold_space(self, name: str) -> None:
        if name == "h":
            self.hold = self.space
        elif name == "H":
            self.hold += "\n" + self.space
        elif name == "g":
            self.space = self.hold
        elif name == "G":
            self.space += "\n" + self.hold
        elif name == "x":
            self.space, self.hold = self.hold, self.space

    def kept(self, name: str, text: str) -> None:
        if name == "/dev/stdout":
            self.write(text)
        elif name == "/dev/stderr":
            self.p.stderr.write(text.encode("utf-8", "surrogateescape"))
        else:
            self.files.setdefault(name, bytearray()).extend(text.encode("utf-8", "surrogateescape"))

    def substitute(self, edit: Edit) -> bool:
        pattern = edit.pattern or self.last
        if pattern is None:
            raise Usage("sed: no previous regular expression\n")
        self.last = pattern
        count = 0

        def made(match: re.Match[str]) -> str:
            nonlocal count
            count += 1
            if count < edit.nth or count > edit.nth and not edit.every:
                return match[0]
            return filled(edit.replacement, match)

        text = pattern.sub(made, self.space)
        if count < edit.nth:
            return False
        self.space = text
        if edit.prints:
            self.show(self.space)
        if edit.file:
            self.kept(edit.file, self.space + "\n")
        return True


def filled(parts: list[tuple[str, str]], match: re.Match[str]) -> str:
    made, case, once = "", "", ""
    for kind, value in parts:
        if kind == "case":
            if value in "lu":
                once = value
            else:
                case = "" if value == "E" else value
            continue
        text = value if kind == "text" else match[int(value)] or ""
        text = text.upper() if case == "U" else text.lower() if case == "L" else text
        if once and text:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        made += text
    return made


COMMANDS = {"sed": sed}
