"""python3 as a program: its options, a script, standard input, the prompt."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from ..commands.options import Usage
from ..tasks import Interrupted
from .machine import Machine
from .modules_system import banner, version_of
from .things import Break, Continue, Leave, Raised, Return, Unknown
from .traces import refused, trace

if TYPE_CHECKING:
    from ..ports import Process

#: Bytes of a script that is read at all.
LONGEST = 1 << 18
FLAGS = "bBdEhiIOqsSuvVWxX"


async def python(p: Process) -> int:
    words, name = list(p.args[1:]), p.args[0].rsplit("/", 1)[-1]
    interactive = quiet = False
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word in ("-V", "--version", "-VV"):
            p.out(f"Python {version_of(p) if word != '-VV' else banner(p)}\n")
            return 0
        if word in ("-h", "--help", "-?"):
            p.out(f"usage: {name} [option] ... [-c cmd | -m mod | file | -] [arg] ...\n")
            return 0
        if word[1:2] == "c":
            text = word[2:] or (words.pop(0) if words else None)
            if text is None:
                raise Usage(f"Argument expected for the -c option\n{usage(name)}", 2)
            return await executed(p, text, "<string>", ["-c", *words], None)
        if word[1:2] == "m":
            return await as_module(p, word[2:] or (words.pop(0) if words else ""), words)
        if word[1:2] in ("W", "X") and len(word) == 2 and words:
            words.pop(0)
        elif any(letter not in FLAGS for letter in word[1:2]):
            raise Usage(f"Unknown option: {word[:2] if word[1:2] != '-' else '-'}\n{usage(name)}" if word[1:2] != "-" else f"unknown option {word}\n{usage(name)}", 2)
        interactive, quiet = interactive or "i" in word, quiet or "q" in word
    if words and words[0] != "-":
        script = words[0]
        try:
            data = p.fs.read(p.path(script))
        except IsADirectoryError:
            raise Usage(f"/usr/bin/{name}: can't find '__main__' module in '{p.path(script)}'\n", 1) from None
        except OSError as error:
            raise Usage(f"{p.args[0]}: can't open file '{p.path(script)}': [Errno {error.errno}] {error.strerror}\n", 2) from None
        text = data[:LONGEST].decode("utf-8", "replace")
        return await executed(p, text, p.path(script), words, text.splitlines())
    if p.stdin.is_tty or interactive:
        return await prompt(p, quiet)
    taken = bytearray()
    while len(taken) < LONGEST and (piece := await p.stdin.read(65536)):
        taken += piece
    return await executed(p, taken.decode("utf-8", "replace"), "<stdin>", words or [""], None)


def usage(name: str) -> str:
    return f"usage: {name} [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `python -h' for more information.\n"


def complain(p: Process, text: str) -> None:
    p.stderr.write(text.encode("utf-8", "surrogateescape"))


async def executed(p: Process, text: str, name: str, argv: list[str], lines: list[str] | None) -> int:
    try:
        tree = ast.parse(text, name)
    except SyntaxError as error:
        complain(p, refused(error))
        return 1
    except (ValueError, RecursionError, MemoryError):
        complain(p, "MemoryError\n")
        return 1
    return await finished(p, Machine(p, name, argv), tree, lines)


async def finished(p: Process, machine: Machine, tree: ast.Module, lines: list[str] | None) -> int:
    try:
        await machine.run(tree)
    except Raised as raised:
        if isinstance(raised.error, SystemExit):
            return exited(p, raised.error)
        complain(p, trace(raised, machine.file, lines))
        return 1
    except Leave as leave:
        return leave.status
    except (Unknown, Return, Break, Continue, RecursionError):
        return 0
    except Interrupted as interrupted:
        if interrupted.number == 2:
            complain(p, f'Traceback (most recent call last):\n  File "{machine.file}", line 1, in <module>\nKeyboardInterrupt\n')
        raise
    return 0


def exited(p: Process, error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 255
    complain(p, f"{error.code}\n")
    return 1


async def as_module(p: Process, name: str, words: list[str]) -> int:
    shown = p.args[0] if p.args[0].startswith("/") else f"/usr/bin/{p.args[0]}"
    if name == "http.server":
        port = next((word for word in words if word.isdigit()), "8000")
        if p.account.uid and int(port) < 1024:
            complain(p, "PermissionError: [Errno 13] Permission denied\n")
            return 1
        p.out(f"Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...\n")
        await p.host.sleep(1e6)
        return 0
    if name == "json.tool":
        text = bytearray()
        while piece := await p.stdin.read(65536):
            text += piece
        return await executed(p, f"import json\nprint(json.dumps(json.loads({bytes(text[:LONGEST]).decode('utf-8', 'replace')!r}), indent=4))", "<string>", [""], None)
    if name in ("pip", "venv", "ensurepip") or name.split(".")[0] not in sys.stdlib_module_names:
        complain(p, f"{shown}: No module named {name}\n")
        return 1
    return 0


async def prompt(p: Process, quiet: bool) -> int:
    if not quiet:
        complain(p, f'Python {banner(p)} on linux\nType "help", "copyright", "credits" or "license" for more information.\n')
    machine = Machine(p, "<stdin>", [""])
    machine.shows = True
    text = ""
    while True:
        try:
            p.out("... " if text else ">>> ")
            line = (await p.stdin.readline()).decode("utf-8", "replace")
            if not line:
                p.out("\n")
                return 0
            text += line
            if len(text) > LONGEST or not text.strip():
                text = ""
                continue
            if incomplete(text):
                continue
            whole, text = text, ""
            left = await one(p, machine, whole)
            if left is not None:
                return left
        except Interrupted as interrupted:
            if interrupted.number != 2:
                raise
            text = ""
            p.out("\nKeyboardInterrupt\n")


def incomplete(text: str) -> bool:
    """Whether the prompt waits for more: an open bracket, or a block that no empty line has ended."""
    closed = text.endswith("\n\n") or text.strip() == ""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        if any(part in error.msg for part in ("was never closed", "unterminated triple-quoted", "unexpected EOF")):
            return True
        return not closed and "expected an indented block" in error.msg or "expected 'except'" in error.msg and not closed
    except (ValueError, RecursionError, MemoryError):
        return False
    return not closed and bool(tree.body) and hasattr(tree.body[-1], "body")


async def one(p: Process, machine: Machine, text: str) -> int | None:
    """One command at the prompt; a status when it ends the program."""
    try:
        await machine.run(ast.parse(text, "<stdin>"))
    except SyntaxError as error:
        complain(p, refused(error))
    except Raised as raised:
        if isinstance(raised.error, SystemExit):
            return exited(p, raised.error)
        complain(p, trace(raised, "<stdin>", None))
    except Leave as leave:
        return leave.status
    except (Unknown, Return, Break, Continue, RecursionError, ValueError, MemoryError):
        return None
    return None

