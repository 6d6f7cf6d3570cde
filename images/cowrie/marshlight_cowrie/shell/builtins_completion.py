"""What readline is told: bind, complete, compgen, compopt. Rules are kept and shown; the keys themselves are the bridge's."""

from __future__ import annotations

from typing import Any

from . import builtins
from .builtins import builtin, out
from .builtins_names import KEYWORDS
from .quoting import single_quoted

ACTIONS = dict(a="alias", b="builtin", c="command", d="directory", e="export", f="file", g="group", j="job", k="keyword")
ACTIONS |= dict(s="service", u="user", v="variable")
#: Those that take an operand, in the order in which `complete -p` shows them.
VALUED = "oAGWPSXCF"
ACTS = "[-abcdefgjksuv]"
WAYS = "[-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix]"
USAGE = {
    "complete": f"complete: usage: complete {ACTS} [-pr] [-DEI] {WAYS} [name ...]\n",
    "compgen": f"compgen: usage: compgen {ACTS} {WAYS} [word]\n",
    "compopt": "compopt: usage: compopt [-o|+o option] [-DEI] [name ...]\n",
}
BIND = "bind: usage: bind [-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x keyseq:shell-command] "
BIND += "[keyseq:readline-function or readline-command]\n"


@builtin("bind", bash=True)
async def bind(shell: Any, words: list[str]) -> int:
    if not shell.interactive:
        shell.complain("bind: warning: line editing not enabled")
    for word in words[1:]:
        if not word.startswith("-") or word == "--":
            break
        wrong = next((letter for letter in word[1:] if letter not in "lpsvPSVXmfqurx"), "")
        if wrong:
            shell.complain(f"bind: -{wrong}: invalid option")
            shell.say_error(BIND)
            return 2
    return 0


def options(shell: Any, words: list[str], more: str) -> tuple[str, list[tuple[str, str]], list[str]] | None:
    """Letters, letters with their operands, the rest; None after a complaint."""
    letters, valued, rest = "", [], words[1:]
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            break
        for at, letter in enumerate(word[1:], 1):
            if letter in VALUED:
                operand = word[at + 1 :] or (rest.pop(0) if rest else None)
                if operand is None:
                    shell.complain(f"{words[0]}: -{letter}: option requires an argument")
                    shell.say_error(USAGE[words[0]])
                    return None
                valued.append((letter, operand))
                break
            if letter not in more and letter not in ACTIONS:
                shell.complain(f"{words[0]}: -{letter}: invalid option")
                shell.say_error(USAGE[words[0]])
                return None
            letters += letter
    return letters, valued, rest


def rules(shell: Any) -> dict[str, str]:
    """Names and the options that `complete` was given for them."""
    found: dict[str, str] = shell.__dict__.setdefault("completions", {})
    return found


@builtin("complete", bash=True)
async def complete(shell: Any, words: list[str]) -> int:
    given = options(shell, words, "prDEI")
    if given is None:
        return 2
    letters, valued, names = given
    known = rules(shell)
    if "p" in letters or "r" in letters or len(words) == 1:
        if not names:
            out(shell, "".join(shown(known, name) for name in known)) if "r" not in letters else known.clear()
            return 0
        status = 0
        for name in names:
            if name not in known:
                shell.complain(f"complete: {name}: no completion specification")
                status = 1
            elif "r" in letters:
                del known[name]
            else:
                out(shell, shown(known, name))
        return status
    text = "".join(f"-{letter} {operand} " for letter, operand in valued if letter == "o")
    text += "".join(f"-{letter} " for letter in ACTIONS if letter in letters)
    for kind in VALUED[1:]:
        quoted = single_quoted if kind in "GWXC" else str
        text += "".join(f"-{kind} {quoted(operand)} " for letter, operand in valued if letter == kind)
    names += [f"-{letter}" for letter in "DEI" if letter in letters]
    if not names:
        shell.say_error(USAGE["complete"])
        return 2
    for name in names:
        known[name] = text
        if len(known) > 1000:
            del known[next(iter(known))]
    return 0


def shown(known: dict[str, str], name: str) -> str:
    return f"complete {known[name]}{name}\n"


@builtin("compgen", bash=True)
async def compgen(shell: Any, words: list[str]) -> int:
    given = options(shell, words, "")
    if given is None:
        return 2
    letters, valued, rest = given
    if len(words) == 1:
        return 0
    found: list[str] = []
    for letter, operand in valued:
        found += operand.split() if letter == "W" else candidates(shell, operand) if letter == "A" else []
    for letter in letters:
        found += candidates(shell, ACTIONS[letter])
    begin = rest[0] if rest else ""
    found = [name for name in found if name.startswith(begin)]
    out(shell, "".join(f"{name}\n" for name in found))
    return int(not found)


def candidates(shell: Any, action: str) -> list[str]:
    if action == "user":
        return [line.split(":")[0] for line in accounts(shell, "/etc/passwd")]
    if action == "group":
        return [line.split(":")[0] for line in accounts(shell, "/etc/group")]
    given = {
        "alias": lambda: sorted(shell.aliases),
        "builtin": lambda: builtins.names(shell),
        "command": lambda: [*sorted(shell.aliases), *KEYWORDS, *sorted(shell.functions), *builtins.names(shell), *programs(shell)],
        "export": lambda: sorted(name for name, found in shell.vars.visible().items() if found.exported),
        "function": lambda: sorted(shell.functions),
        "keyword": lambda: list(KEYWORDS),
        "variable": lambda: sorted(shell.vars.visible()),
    }
    return given[action]() if action in given else []


def accounts(shell: Any, path: str) -> list[str]:
    try:
        return [line for line in shell.fs.read(path).decode("utf-8", "replace").splitlines() if line]
    except OSError:
        return []


def programs(shell: Any) -> list[str]:
    found = []
    for folder in (shell.vars.get("PATH") or "").split(":"):
        try:
            found += shell.fs.listdir(folder or ".")
        except OSError:
            continue
    return found


@builtin("compopt", bash=True)
async def compopt(shell: Any, words: list[str]) -> int:
    names = [word for at, word in enumerate(words[1:], 1) if word[:1] not in "-+" and words[at - 1] not in ("-o", "+o")]
    if not names:
        shell.complain("compopt: not currently executing completion function")
        return 1
    missing = [name for name in names if name not in rules(shell)]
    for name in missing:
        shell.complain(f"compopt: {name}: no completion specification")
    return int(bool(missing))
