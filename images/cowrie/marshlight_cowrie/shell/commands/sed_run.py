"""Runs the edits of a script over lines."""

from __future__ import annotations

import re

from .inputs import split, whole
from .options import Usage, complain
from .sed_edits import Edit
from .sed_lines import Lines
from .wording import strerror

#: A script that never ends must not hold the decoy.
MOST_STEPS = 2_000_000


class Run(Lines):
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
