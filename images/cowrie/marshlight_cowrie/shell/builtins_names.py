"""What names stand for: type, command, builtin, hash, alias, enable, help."""

from __future__ import annotations

import re
from typing import Any

from . import builtins
from .builtins import builtin, out
from .executables import Executable, find_executable
from .printing import function_text
from .quoting import single_quoted

KEYWORDS = ("if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do", "done", "in", "function", "time")
KEYWORDS += ("{", "}", "!", "[[", "]]", "coproc")
#: Words like any other to ash.
NOT_ASH = ("select", "time", "]]", "coproc")


def kind_of(shell: Any, name: str) -> tuple[str, str]:
    """As `type -t` says it, and what stands behind it."""
    if name in shell.aliases and ("expand_aliases" in shell.shopts or not shell.dialect.bash):
        return "alias", shell.aliases[name]
    if name == "[[" and shell.dialect.kind == "ash":
        return "builtin", name
    if name in KEYWORDS and not (shell.dialect.kind == "ash" and name in NOT_ASH):
        return "keyword", name
    if name in shell.functions:
        return "function", name
    if builtins.find(shell, name):
        return "builtin", name
    found = find_executable(shell, name, shell.vars.get("PATH"))
    if isinstance(found, Executable):
        if "/" in name:
            return "file", name
        for folder in (shell.vars.get("PATH") or "").split(":"):
            candidate = f"{folder.rstrip('/')}/{name}"
            if candidate == found.path:
                return "file", candidate
        return "file", found.path
    return "", ""


def described(shell: Any, name: str, kind: str, value: str) -> str:
    if kind == "alias":
        return f"{name} is aliased to `{value}'" if shell.dialect.bash else f"{name} is an alias for {value}"
    if kind == "keyword":
        return f"{name} is a shell keyword"
    if kind == "function":
        if not shell.dialect.bash:
            return f"{name} is a shell function" if shell.dialect.kind == "dash" else f"{name} is a function"
        return f"{name} is a function\n{function_text(shell.functions[name])}".rstrip("\n")
    if kind == "builtin":
        special = not shell.dialect.bash and name in (":", ".", "break", "eval", "exec", "exit", "export", "return", "set", "shift", "trap", "unset")
        return f"{name} is a {'special ' if special else ''}shell builtin"
    if name in shell.hashed and shell.dialect.bash:
        return f"{name} is hashed ({value})"
    return f"{name} is {value}"


@builtin("type")
async def type_(shell: Any, words: list[str]) -> int:
    flags, names = split_flags(words)
    status = 0
    for name in names:
        every = list(all_kinds(shell, name)) if "a" in flags else [kind_of(shell, name)]
        every = [(kind, value) for kind, value in every if kind and not ("f" in flags and kind == "function")]
        if "p" in flags and every and every[0][0] != "file":
            continue
        if "P" in flags and "t" not in flags:
            every = [(kind, value) for kind, value in every if kind == "file"]
        if not every:
            status = 1 if shell.dialect.bash else 127
            if not flags & {"t", "p", "P"}:
                if shell.dialect.bash:
                    shell.complain(f"type: {name}: not found")
                else:
                    out(shell, f"{name}: not found\n")
            continue
        for kind, value in every:
            if "t" in flags:
                out(shell, kind + "\n")
            elif flags & {"p", "P"}:
                out(shell, value + "\n")
            else:
                out(shell, described(shell, name, kind, value) + "\n")
    return status


def all_kinds(shell: Any, name: str) -> Any:
    if name in shell.aliases:
        yield "alias", shell.aliases[name]
    if name in KEYWORDS:
        yield "keyword", name
    if name in shell.functions:
        yield "function", name
    if builtins.find(shell, name):
        yield "builtin", name
    for folder in (shell.vars.get("PATH") or "").split(":"):
        found = find_executable(shell, f"{folder.rstrip('/')}/{name}", None)
        if folder and isinstance(found, Executable):
            yield "file", f"{folder.rstrip('/')}/{name}"


def split_flags(words: list[str]) -> tuple[set[str], list[str]]:
    flags: set[str] = set()
    at = 1
    while at < len(words) and re.fullmatch(r"-[A-Za-z]+", words[at]):
        flags |= set(words[at][1:])
        at += 1
    if words[at : at + 1] == ["--"]:
        at += 1
    return flags, words[at:]


@builtin("command")
async def command(shell: Any, words: list[str]) -> int:
    at = 1
    flags: set[str] = set()
    while at < len(words) and re.fullmatch(r"-[pvV]+", words[at]):
        flags |= set(words[at][1:])
        at += 1
    if words[at : at + 1] == ["--"]:
        at += 1
    names = words[at:]
    if not names:
        return 0
    if flags & {"v", "V"}:
        status = 1 if shell.dialect.bash else 0
        for name in names if shell.dialect.bash else names[:1]:
            kind, value = kind_of(shell, name)
            if not kind:
                status = status if shell.dialect.bash else 127
                if "V" in flags:
                    if shell.dialect.bash:
                        shell.complain(f"command: {name}: not found")
                    else:
                        out(shell, f"{name}: not found\n")
                continue
            status = 0
            if "V" in flags:
                out(shell, described(shell, name, kind, value) + "\n")
            else:
                out(shell, (f"alias {name}={single_quoted(value)}" if kind == "alias" else value if kind == "file" else name) + "\n")
        return status
    found = builtins.find(shell, names[0])
    shell.declared = {}
    if found is not None:
        return int(await shell.run_builtin(found, names))
    return int(await shell.run_external(names, {}))


@builtin("builtin", bash=True)
async def builtin_(shell: Any, words: list[str]) -> int:
    if len(words) < 2:
        return 0
    found = builtins.find(shell, words[1])
    if found is None:
        shell.complain(f"builtin: {words[1]}: not a shell builtin")
        return 1
    shell.declared = {}
    return int(await shell.run_builtin(found, words[1:]))


@builtin("hash")
async def hash_(shell: Any, words: list[str]) -> int:
    flags, names = split_flags(words)
    if "r" in flags:
        shell.hashed.clear()
        return 0
    if not names:
        if not shell.hashed:
            if shell.dialect.bash:
                out(shell, "hash: hash table empty\n")
            return 0
        if shell.dialect.bash:
            out(shell, "hits\tcommand\n" + "".join(f"{hits:4d}\t{path}\n" for path, hits in shell.hashed.values()))
        else:
            out(shell, "".join(f"{path}\n" for path, _ in shell.hashed.values()))
        return 0
    status = 0
    for name in names:
        if "d" in flags:
            shell.hashed.pop(name, None)
            continue
        found = find_executable(shell, name, shell.vars.get("PATH"))
        if isinstance(found, str):
            shell.complain(f"hash: {name}: not found")
            status = 1
        elif "t" in flags:
            out(shell, found.path + "\n")
        else:
            shell.hashed[name] = (found.path, 0)
    return status


@builtin("alias")
async def alias(shell: Any, words: list[str]) -> int:
    status = 0
    lead = "alias " if shell.dialect.bash else ""
    names = [word for word in words[1:] if word not in ("-p", "--")]
    if not names:
        out(shell, "".join(f"{lead}{name}={single_quoted(value)}\n" for name, value in sorted(shell.aliases.items())))
    for word in names:
        name, mark, value = word.partition("=")
        if mark and name:
            shell.aliases[name] = value
        elif word in shell.aliases:
            out(shell, f"{lead}{word}={single_quoted(shell.aliases[word])}\n")
        else:
            shell.complain(f"alias: {word}: not found" if shell.dialect.bash else f"alias: {word} not found")
            status = 1
    return status


@builtin("unalias")
async def unalias(shell: Any, words: list[str]) -> int:
    if words[1:2] == ["-a"]:
        shell.aliases.clear()
        return 0
    status = 0
    for name in words[1:]:
        if shell.aliases.pop(name, None) is None:
            shell.complain(f"unalias: {name}: not found" if shell.dialect.bash else f"unalias: {name} not found")
            status = 1
    return status


@builtin("enable", bash=True)
async def enable(shell: Any, words: list[str]) -> int:
    flags, names = split_flags(words)
    disabled: set[str] = shell.__dict__.setdefault("disabled", set())
    if not names:
        out(shell, "".join(f"enable {name}\n" for name in builtins.names(shell) if name != "chdir"))
        return 0
    for name in names:
        if name not in builtins.BUILTINS:
            shell.complain(f"enable: {name}: not a shell builtin")
            return 1
        disabled.add(name) if "n" in flags else disabled.discard(name)
    return 0
