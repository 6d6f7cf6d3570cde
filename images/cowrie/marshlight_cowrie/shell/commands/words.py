"""Words and names: echo printf seq yes basename dirname realpath readlink expr true false test which whereis ..."""

from __future__ import annotations

import errno
import os
import posixpath
import re
from typing import TYPE_CHECKING

from .options import Usage, complain, parse, refuse
from .regex import BadPattern, compiled
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

BOOKS = {"ls": "1", "bash": "1", "ps": "1", "ip": "8", "passwd": "1 5"}


async def echo(p: Process) -> int:
    p.out(" ".join(p.args[1:]) + "\n" if p.args[1:2] != ["-n"] else " ".join(p.args[2:]))
    return 0


async def true(p: Process) -> int:
    return 0


async def false(p: Process) -> int:
    return 1


async def builtin(p: Process) -> int:
    """printf, test and [ stand as files too; the shell's own do the work."""
    return await p.spawn(["bash", "-c", '"$@"', "bash", p.args[0].rsplit("/", 1)[-1], *p.args[1:]])


async def seq(p: Process) -> int:
    args = list(p.args[1:])
    form = separator = None
    width = False
    while args and re.match(r"-(?![\d.]|$)", args[0]):
        word = args.pop(0)
        if word == "-w" or word == "--equal-width":
            width = True
        elif word.startswith(("-s", "--separator=")):
            separator = word.partition("=")[2] if word[1] == "-" else word[2:] or (args.pop(0) if args else "")
        elif word.startswith(("-f", "--format=")):
            form = word.partition("=")[2] if word[1] == "-" else word[2:] or (args.pop(0) if args else "")
        else:
            raise refuse(p, f"invalid option -- '{word[1]}'")
    if not args:
        raise refuse(p, "missing operand")
    if len(args) > 3:
        raise refuse(p, f"extra operand ‘{args[3]}’")
    for word in args:
        if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word):
            raise refuse(p, f"invalid floating point argument: ‘{word}’")
    first, step, last = (["1", "1", *args], [args[0], "1", args[-1]], args)[len(args) - 1][:3]
    places = max(len(text.partition(".")[2]) for text in (first, step))
    low, by, high = float(first), float(step), float(last)
    if by == 0:
        raise refuse(p, f"invalid Zero increment value: ‘{step}’")
    between = "\n" if separator is None else separator
    most = min(int((high - low) / by + 1e-9) + 1, 2_000_000)
    pad = max(len(f"{low:.{places}f}"), len(f"{high:.{places}f}"))
    batch: list[str] = []
    started = False
    for index in range(max(0, most)):
        value = low + index * by
        text = form % value if form else f"{value:0{pad if width else 0}.{places}f}"
        batch.append(text)
        if len(batch) == 4096:
            p.out((between if started else "") + between.join(batch))
            started, batch = True, []
            await p.stdout.drain()
    if batch:
        p.out((between if started else "") + between.join(batch))
        started = True
    if started:
        p.out("\n")
    return 0


async def yes(p: Process) -> int:
    words = [word for word in p.args[1:]]
    if words[:1] == ["--"]:
        words.pop(0)
    data = (" ".join(words or ["y"]) + "\n").encode("utf-8", "surrogateescape")
    block = data * max(1, 8192 // len(data))
    while True:
        p.stdout.write(block)
        await p.stdout.drain()


async def basename(p: Process) -> int:
    options = parse(p, "as:z", "multiple:a suffix=:s zero:z", permute=False)
    names = options.operands
    if not names:
        raise refuse(p, "missing operand")
    suffix = options.text("s")
    if not options.any("as"):
        if len(names) > 2:
            raise refuse(p, f"extra operand ‘{names[2]}’")
        suffix = names[1] if len(names) == 2 else ""
        names = names[:1]
    for name in names:
        base = posixpath.basename(name.rstrip("/")) or ("/" if name else "")
        if suffix and base != suffix:
            base = base.removesuffix(suffix)
        p.out(base + ("\0" if "z" in options else "\n"))
    return 0


async def dirname(p: Process) -> int:
    options = parse(p, "z", "zero:z")
    if not options.operands:
        raise refuse(p, "missing operand")
    for name in options.operands:
        stripped = name.rstrip("/")
        base = stripped.rpartition("/")
        made = base[0].rstrip("/") or "/" if base[1] else "/" if name and not stripped else "."
        p.out(made + ("\0" if "z" in options else "\n"))
    return 0


def resolved(p: Process, name: str, mode: str, hops: int = 40) -> str:
    """Canonical path. `mode`: e all must be there, f all but the last, m none."""
    left = [part for part in p.path(name).split("/") if part]
    made = "/"
    while left:
        part = left.pop(0)
        if part == ".":
            continue
        if part == "..":
            made = posixpath.dirname(made)
            continue
        path = posixpath.join(made, part)
        try:
            stat = p.fs.stat(path, follow=False)
        except OSError:
            if mode == "e" or mode == "f" and left:
                raise
            made = path
            continue
        if stat.target is not None and stat.mode & 0o170000 == 0o120000:
            hops -= 1
            if hops < 0:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
            target = p.fs.readlink(path)
            if target.startswith("/"):
                made = "/"
            left = [piece for piece in target.split("/") if piece] + left
            continue
        if left and stat.mode & 0o170000 != 0o040000 and mode != "m":
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
        made = path
    return made


async def readlink(p: Process) -> int:
    options = parse(p, "efmnqsvz", "canonicalize:f canonicalize-existing:e canonicalize-missing:m no-newline:n quiet:q silent:s verbose:v zero:z")
    if not options.operands:
        raise refuse(p, "missing operand")
    status = 0
    mode = options.last("efm")
    for name in options.operands:
        try:
            made = resolved(p, name, mode) if mode else p.fs.readlink(p.path(name))
        except OSError as error:
            if "v" in options:
                complain(p, f"{name}: {strerror(error)}")
            status = 1
            continue
        p.out(made + ("" if "n" in options else "\0" if "z" in options else "\n"))
    return status


async def realpath(p: Process) -> int:
    options = parse(p, "emLPqsz", "canonicalize-existing:e canonicalize-missing:m relative-to= relative-base= quiet:q strip:s no-symlinks:s zero:z")
    if not options.operands:
        raise refuse(p, "missing operand")
    status = 0
    for name in options.operands:
        try:
            made = posixpath.normpath(p.path(name)) if "s" in options else resolved(p, name, options.last("em", "f"))
            if "relative-to" in options:
                made = posixpath.relpath(made, resolved(p, options.text("relative-to"), "m"))
        except OSError as error:
            if "q" not in options:
                complain(p, f"{name}: {strerror(error)}")
            status = 1
            continue
        p.out(made + "\n")
    return status


async def pwd(p: Process) -> int:
    p.out(p.cwd + "\n")
    return 0


async def which(p: Process) -> int:
    names = [word for word in p.args[1:] if word not in ("-a", "-s")]
    if any(name.startswith("-") for name in names):
        p.stderr.write(b"Illegal option " + names[0].encode()[:2] + b"\nUsage: /usr/bin/which [-as] args\n")
        return 2
    status = 0 if names else 1
    for name in names:
        places = find_in_path(p, name)
        if not places:
            status = 1
        for place in places if "-a" in p.args else places[:1]:
            p.out(place + "\n")
    return status


def find_in_path(p: Process, name: str) -> list[str]:
    if "/" in name:
        return [name] if executable(p, p.path(name)) else []
    found = [f"{folder.rstrip('/')}/{name}" for folder in (p.env.get("PATH") or "/usr/bin:/bin").split(":")]
    return [path for path in found if executable(p, path)]


def executable(p: Process, path: str) -> bool:
    try:
        return p.fs.stat(path).mode & 0o170000 == 0o100000 and p.fs.access(path, execute=True)
    except OSError:
        return False


async def whereis(p: Process) -> int:
    options = parse(p, "bBmMsSuflgh")
    for name in options.operands:
        base = name.rsplit("/", 1)[-1]
        found = []
        for folder in ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib", "/etc", "/usr/include"):
            try:
                p.fs.stat(f"{folder}/{base}")
            except OSError:
                continue
            found.append(f"{folder}/{base}")
        if "b" not in options:
            for section in "18":
                page = f"/usr/share/man/man{section}/{base}.{section}.gz"
                try:
                    p.fs.stat(page)
                    found.append(page)
                except OSError:
                    continue
        p.out(f"{base}:{''.join(f' {path}' for path in found)}\n")
    return 0


async def expr(p: Process) -> int:
    args = p.args[1:]
    if args[:1] == ["--"]:
        args = args[1:]
    if not args:
        raise refuse(p, "missing operand", 2)
    value = Expression(p, args).all()
    p.out(value + "\n")
    return 1 if value in ("", "0") or re.fullmatch(r"-?0+", value) else 0


class Expression:
    LEVELS = (("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"), (":",))

    def __init__(self, p: Process, words: list[str]) -> None:
        self.p, self.words, self.at = p, words, 0

    def bad(self, text: str) -> Usage:
        return Usage(f"{self.p.args[0]}: {text}\n", 2)

    def all(self) -> str:
        value = self.level(0)
        if self.at < len(self.words):
            raise self.bad(f"syntax error: unexpected argument ‘{self.words[self.at]}’")
        return value

    def level(self, depth: int) -> str:
        if depth == len(self.LEVELS):
            return self.primary()
        value = self.level(depth + 1)
        while self.at < len(self.words) and self.words[self.at] in self.LEVELS[depth]:
            operator = self.words[self.at]
            self.at += 1
            value = self.applied(operator, value, self.level(depth + 1))
        return value

    def primary(self) -> str:
        if self.at >= len(self.words):
            raise self.bad(f"syntax error: missing argument after ‘{self.words[-1]}’")
        word = self.words[self.at]
        self.at += 1
        if word == "(":
            value = self.level(0)
            if self.words[self.at : self.at + 1] != [")"]:
                raise self.bad("syntax error: expecting ')' after ‘" + self.words[self.at - 1] + "’")
            self.at += 1
            return value
        if word == "length":
            return str(len(self.primary()))
        if word == "match":
            return self.applied(":", self.primary(), self.primary())
        if word == "index":
            text, letters = self.primary(), self.primary()
            return str(next((i for i, c in enumerate(text, 1) if c in letters), 0))
        if word == "substr":
            text, start, length = self.primary(), int(self.primary()), int(self.primary())
            return text[start - 1 : start - 1 + length] if start > 0 and length > 0 else ""
        return word

    def applied(self, operator: str, left: str, right: str) -> str:
        null = ("", "0")
        if operator == "|":
            return left if left not in null else right if right not in null else "0"
        if operator == "&":
            return left if left not in null and right not in null else "0"
        if operator == ":":
            try:
                found = compiled(right, extended=False).match(left)
            except BadPattern as error:
                raise self.bad(str(error)) from None
            if found is None:
                return "" if "\\(" in right else "0"
            return (found[1] or "") if found.re.groups else str(len(found[0]))
        whole = all(re.fullmatch(r"[-+]?\d+", text) for text in (left, right))
        if operator in self.LEVELS[2]:
            a, b = (int(left), int(right)) if whole else (left, right)
            holds = {"<": a < b, "<=": a <= b, "=": a == b, "==": a == b, "!=": a != b, ">=": a >= b, ">": a > b}  # type: ignore[operator]
            return str(int(holds[operator]))
        if not whole:
            raise self.bad("non-integer argument")
        one, other = int(left), int(right)
        if operator in "/%" and other == 0:
            raise self.bad("division by zero")
        quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1) if operator in "/%" else 0
        return str({"+": one + other, "-": one - other, "*": one * other, "/": quotient, "%": one - quotient * other}[operator])


async def factor(p: Process) -> int:
    for word in p.args[1:]:
        if not word.isdigit():
            complain(p, f"‘{word}’ is not a valid positive integer")
            return 1
        left, parts, divisor = int(word), [], 2
        while divisor * divisor <= left and divisor < 1_000_000:
            while left % divisor == 0:
                parts.append(divisor)
                left //= divisor
            divisor += 1
        p.out(f"{word}:{''.join(f' {part}' for part in [*parts, *([left] if left > 1 else [])])}\n")
    return 0


COMMANDS = {
    **{"echo": echo, "true": true, "false": false, "printf": builtin, "test": builtin, "[": builtin, "seq": seq, "yes": yes},
    **{"basename": basename, "dirname": dirname, "readlink": readlink, "realpath": realpath, "pwd": pwd, "which": which},
    **{"whereis": whereis, "expr": expr, "factor": factor},
}
