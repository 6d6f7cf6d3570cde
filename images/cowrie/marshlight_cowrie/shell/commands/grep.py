"""grep, egrep, fgrep, zgrep."""

from __future__ import annotations

import re
import stat as modes
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from .inputs import split, whole
from .options import Options, Usage, complain, parse
from .regex import BadPattern, compiled
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

SHORT = "EFGPe:f:iyvwxcLlm:oqsbHhnTZA:B:C:aIrRUz"
LONG = (
    "extended-regexp:E fixed-strings:F basic-regexp:G perl-regexp:P regexp=:e file=:f ignore-case:i no-ignore-case "
    "invert-match:v word-regexp:w line-regexp:x count:c color=? colour=? files-without-match:L files-with-matches:l "
    "max-count=:m only-matching:o quiet:q silent:q no-messages:s byte-offset:b with-filename:H no-filename:h line-number:n "
    "initial-tab:T null:Z after-context=:A before-context=:B context=:C text:a binary-files= exclude= exclude-dir= "
    "include= recursive:r dereference-recursive:R null-data:z help version:V label= line-buffered"
)


def pattern_of(p: Process, options: Options, texts: list[str], kind: str) -> re.Pattern[str]:
    made = []
    ignore = options.any("iy")
    for text in texts:
        try:
            if kind == "F":
                one = re.escape(text)
            elif kind == "P":
                one = re.compile(text).pattern
            else:
                one = compiled(text, extended=kind == "E").pattern
        except (BadPattern, re.error) as error:
            raise Usage(f"{p.args[0]}: {error}\n", 2) from None
        if "x" in options:
            one = f"^(?:{one})\\n?\\Z"
        elif "w" in options:
            one = f"(?<!\\w)(?:{one})(?!\\w)"
        made.append(one)
    joined = "|".join(f"(?:{one})" for one in made) if len(made) > 1 else made[0] if made else r"(?!)"
    return re.compile(joined, (re.IGNORECASE if ignore else re.NOFLAG) | re.ASCII)


async def grep(p: Process) -> int:
    args = [re.sub(r"^-([a-zA-Z]*)(\d+)$", r"-\1C\2", word) if re.fullmatch(r"-\d+", word) else word for word in p.args[1:]]
    name = p.args[0].rsplit("/", 1)[-1]
    try:
        options = parse(p, SHORT + "V", LONG, status=2, args=args, hint=False)
    except Usage as usage:
        usage.text += f"Usage: {p.args[0]} [OPTION]... PATTERNS [FILE]...\nTry '{p.args[0]} --help' for more information.\n"
        raise
    if "V" in options:
        p.out("grep (GNU grep) 3.8\n")
        return 0
    if name in ("egrep", "fgrep"):
        p.err(f"warning: {name} is obsolescent; using grep -{name[0].upper()}")
    kind = options.last("EFGP", {"egrep": "E", "fgrep": "F"}.get(name, "G"))
    patterns = [line for text in options.values("e") for line in text.split("\n")]
    operands = list(options.operands)
    for file in options.values("f"):
        try:
            data = (await whole(p, file)).decode("utf-8", "surrogateescape")
        except OSError as error:
            complain(p, f"{file}: {strerror(error)}")
            return 2
        patterns += data.removesuffix("\n").split("\n") if data else []
    if "e" not in options and "f" not in options:
        if not operands:
            n = p.args[0]
            raise Usage(f"Usage: {n} [OPTION]... PATTERNS [FILE]...\nTry '{n} --help' for more information.\n", 2)
        patterns = operands.pop(0).split("\n")
    search = Search(p, options, pattern_of(p, options, patterns, kind))
    deep = options.any("rR")
    names = operands or (["."] if deep else ["-"])
    several = len(names) > 1 or deep
    search.named = options.last("Hh", "H" if several else "h") == "H"
    for one in names:
        if await search.walk(one, deep, given=bool(operands)):
            break
    if search.failed and not (search.found and "q" in options):
        return 2
    return 0 if search.found else 1


class Search:
    def __init__(self, p: Process, options: Options, pattern: re.Pattern[str]) -> None:
        self.p, self.options, self.pattern = p, options, pattern
        self.named = self.found = self.failed = False
        self.before = int(options.text("B", options.text("C", "0")))
        self.after = int(options.text("A", options.text("C", "0")))
        self.groups = 0

    async def walk(self, name: str, deep: bool, given: bool) -> bool:
        """True when there is no need to look further."""
        path = self.p.path(name)
        try:
            if name != "-" and deep and modes.S_ISDIR(self.p.fs.stat(path, follow=given).mode):
                for child in sorted(self.p.fs.listdir(path)):
                    inner = child if name == "." and not given else f"{name.rstrip('/')}/{child}"
                    mode = self.p.fs.stat(f"{path}/{child}", follow="R" in self.options).mode
                    if modes.S_ISDIR(mode):
                        if any(fnmatch(child, glob) for glob in self.options.values("exclude-dir")):
                            continue
                    elif not modes.S_ISREG(mode) or not self.wanted(child):
                        continue
                    if await self.walk(inner, True, given):
                        return True
                return False
            if name == "-":
                return await self.streamed()
            data = await whole(self.p, name)
        except BrokenPipeError:
            raise
        except IsADirectoryError:
            self.failed = True
            if "s" not in self.options:
                complain(self.p, f"{name}: Is a directory")
            return False
        except OSError as error:
            self.failed = True
            if "s" not in self.options:
                complain(self.p, f"{name}: {strerror(error)}")
            return False
        return self.text(name, data)

    def wanted(self, name: str) -> bool:
        include, exclude = self.options.values("include"), self.options.values("exclude")
        return (not include or any(fnmatch(name, glob) for glob in include)) and not any(
            fnmatch(name, glob) for glob in exclude
        )

    async def streamed(self) -> bool:
        data = bytearray()
        while piece := await self.p.stdin.read(65536):
            data += piece
            if len(data) > 16 << 20:
                break
        return self.text("(standard input)", bytes(data))

    def hit(self, line: str) -> bool:
        return (self.pattern.search(line) is not None) != ("v" in self.options)

    def text(self, name: str, data: bytes) -> bool:
        p, options = self.p, self.options
        binary = b"\0" in data[:32768] and not options.any("az") and not options.any("clLq")
        if binary and "I" in options:
            return False
        limit = int(options.text("m", "-1"))
        lines = [line.decode("utf-8", "surrogateescape") for line in split(data)]
        count, last, pending, offset = 0, -1, 0, 0
        for number, line in enumerate(lines):
            if limit >= 0 and count >= limit:
                break
            body = line.removesuffix("\n")
            if not self.hit(body):
                if pending > 0 and not options.any("clLqo"):
                    self.told(name, number, body, "-", offset)
                    last, pending = number, pending - 1
                offset += len(line)
                continue
            count += 1
            self.found = True
            if "q" in options:
                return True
            if options.any("lL"):
                break
            if binary:
                p.out(f"{p.args[0]}: {name}: binary file matches\n")
                return False
            if not options.any("c"):
                context = range(max(last + 1, number - self.before), number)
                gap = (self.before or self.after) and (last >= 0 or self.groups) and (context.start if context else number) > last + 1
                if gap:
                    p.out("--\n")
                self.groups += 1
                for early in context:
                    self.told(name, early, lines[early].removesuffix("\n"), "-", 0)
                if "o" in options and "v" not in options:
                    for match in self.pattern.finditer(body):
                        if match[0]:
                            self.told(name, number, match[0], ":", offset + match.start())
                elif "o" not in options:
                    self.told(name, number, body, ":", offset)
                last, pending = number, self.after
            offset += len(line)
        if "c" in options:
            p.out((f"{name}:" if self.named else "") + f"{count}\n")
        if "l" in options and count or "L" in options and not count:
            p.out(name + ("\0" if "Z" in options else "\n"))
        return False

    def told(self, name: str, number: int, body: str, mark: str, offset: int) -> None:
        front = f"{name}{mark}" if self.named else ""
        if "n" in self.options:
            front += f"{number + 1}{mark}"
        if "b" in self.options:
            front += f"{offset}{mark}"
        self.p.out(f"{front}{body}\n")


COMMANDS = {"grep": grep, "egrep": grep, "fgrep": grep}
