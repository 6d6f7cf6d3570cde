"""set, shopt, umask, ulimit, times, history, caller."""

from __future__ import annotations

import re
from typing import Any

from .builtins import builtin, out
from .quoting import set_quoted, value_quoted

SHOPTS = """autocd assoc_expand_once cdable_vars cdspell checkhash checkjobs checkwinsize cmdhist compat31 compat32 compat40 compat41
compat42 compat43 compat44 complete_fullquote direxpand dirspell dotglob execfail expand_aliases extdebug extglob extquote failglob
force_fignore globasciiranges globskipdots globstar gnu_errfmt histappend histreedit histverify hostcomplete huponexit inherit_errexit
interactive_comments lastpipe lithist localvar_inherit localvar_unset login_shell mailwarn no_empty_cmd_completion nocaseglob
nocasematch noexpand_translation nullglob patsub_replacement progcomp progcomp_alias promptvars restricted_shell shift_verbose
sourcepath varredir_close xpg_echo""".split()
SET_NAMES = """allexport braceexpand emacs errexit errtrace functrace hashall histexpand history ignoreeof interactive-comments keyword
monitor noclobber noexec noglob nolog notify nounset onecmd physical pipefail posix privileged verbose vi xtrace""".split()
POSIX_NAMES = "errexit noglob ignoreeof interactive monitor noexec stdin xtrace verbose vi emacs noclobber allexport notify nounset".split()


@builtin("set")
async def set_(shell: Any, words: list[str]) -> int:
    from .lookup import LETTERS

    if len(words) == 1:
        for name, variable in sorted(shell.vars.visible().items()):
            if variable.value is None:
                continue
            if isinstance(variable.value, dict):
                out(shell, f"{name}={value_quoted(variable, shell.expander.ordered)}\n")
            else:
                text = variable.text or ""
                quoted = set_quoted(text) if shell.dialect.bash else "'" + text.replace("'", "'\"'\"'") + "'"
                out(shell, f"{name}={quoted}\n")
        return 0
    at = 1
    while at < len(words):
        word = words[at]
        if word == "--":
            shell.positional = words[at + 1 :]
            return 0
        if word == "-":
            shell.options -= {"xtrace", "verbose"}
            if at + 1 < len(words):
                shell.positional = words[at + 1 :]
            return 0
        if len(word) < 2 or word[0] not in "+-":
            break
        turn_on = word[0] == "-"
        at += 1
        for letter in word[1:]:
            if letter == "o":
                if at >= len(words):
                    show_options(shell, turn_on)
                    return 0
                name = words[at]
                at += 1
                known = SET_NAMES if shell.dialect.bash else [*POSIX_NAMES, *(["pipefail"] if shell.dialect.kind == "ash" else [])]
                if name not in known:
                    if shell.dialect.bash:
                        shell.complain(f"set: {name}: invalid option name")
                        return 2
                    shell.complain(f"set: Illegal option -o {name}" if shell.dialect.kind == "dash" else f"set: illegal option -o {name}")
                    from .control import Exit

                    if not shell.interactive:
                        raise Exit(2)
                    return 2
                (shell.options.add if turn_on else shell.options.discard)(name)
            elif letter in LETTERS:
                (shell.options.add if turn_on else shell.options.discard)(LETTERS[letter])
            else:
                if shell.dialect.bash:
                    shell.complain(f"set: {word[0]}{letter}: invalid option")
                    shell.say_error("set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]\n")
                else:
                    shell.complain(f"set: Illegal option {word[0]}{letter}")
                return 2
    if at < len(words):
        shell.positional = words[at:]
    return 0


def show_options(shell: Any, readable: bool) -> None:
    names = SET_NAMES if shell.dialect.bash else POSIX_NAMES
    if readable:
        if not shell.dialect.bash:
            out(shell, "Current option settings\n")
        width = 15 if shell.dialect.bash else 16
        tab = "\t" if shell.dialect.bash else ""
        out(shell, "".join(f"{name:<{width}}{tab}{'on' if name in shell.options else 'off'}\n" for name in names))
    else:
        out(shell, "".join(f"set {'-' if name in shell.options else '+'}o {name}\n" for name in names))


@builtin("shopt", bash=True)
async def shopt(shell: Any, words: list[str]) -> int:
    flags, names, at = set(), [], 1
    while at < len(words) and words[at].startswith("-"):
        flags |= set(words[at][1:])
        at += 1
    names = words[at:]
    table, known = (shell.options, SET_NAMES) if "o" in flags else (shell.shopts, SHOPTS)
    status = 0
    if not names:
        for name in known:
            on = name in table
            if "s" in flags and not on or "u" in flags and on:
                continue
            out(shell, shopt_line(name, on, flags))
        return 0
    for name in names:
        if name not in known:
            shell.complain(f"shopt: {name}: invalid shell option name")
            status = 1
        elif "s" in flags:
            table.add(name)
        elif "u" in flags:
            table.discard(name)
        else:
            on = name in table
            status = status or int(not on)
            if "q" not in flags:
                out(shell, shopt_line(name, on, flags))
    return status


def shopt_line(name: str, on: bool, flags: set[str]) -> str:
    if "p" in flags:
        return f"set {'-' if on else '+'}o {name}\n" if "o" in flags else f"shopt -{'s' if on else 'u'} {name}\n"
    return f"{name:<15}\t{'on' if on else 'off'}\n"


@builtin("umask")
async def umask(shell: Any, words: list[str]) -> int:
    operands = [word for word in words[1:] if word not in ("-S", "-p", "--")]
    if not operands:
        if "-S" in words:
            shown = [
                who + "=" + "".join(letter for letter, bit in zip("rwx", (4, 2, 1)) if not (shell.umask >> shift) & bit)
                for who, shift in (("u", 6), ("g", 3), ("o", 0))
            ]
            out(shell, ",".join(shown) + "\n")
        else:
            out(shell, f"{'umask ' if '-p' in words else ''}{shell.umask:04o}\n")
        return 0
    if re.fullmatch(r"[0-7]{1,4}", operands[0]):
        shell.umask = int(operands[0], 8) & 0o777
        return 0
    if operands[0][:1].isdigit():
        shell.complain(f"umask: {operands[0]}: octal number out of range" if shell.dialect.bash else f"umask: Illegal number: {operands[0]}")
        return 1
    allowed = ~shell.umask & 0o777
    for clause in operands[0].split(","):
        found = re.fullmatch(r"([ugoa]*)([-+=])([rwx]*)", clause)
        if not found:
            shell.complain(f"umask: `{clause[:1]}': invalid symbolic mode operator" if shell.dialect.bash else f"umask: Illegal mode: {operands[0]}")
            return 1
        who, operator, letters = found.groups()
        bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in set(letters))
        for shift in [{"u": 6, "g": 3, "o": 0}[one] for one in (who.replace("a", "ugo") or "ugo")]:
            field = bits << shift
            allowed = allowed | field if operator == "+" else allowed & ~field if operator == "-" else allowed & ~(7 << shift) | field
    shell.umask = ~allowed & 0o777
    return 0


LIMITS = (
    ("R", "real-time non-blocking time", "microseconds", "unlimited"),
    ("c", "core file size", "blocks", "0"),
    ("d", "data seg size", "kbytes", "unlimited"),
    ("e", "scheduling priority", "", "0"),
    ("f", "file size", "blocks", "unlimited"),
    ("i", "pending signals", "", ""),
    ("l", "max locked memory", "kbytes", ""),
    ("m", "max memory size", "kbytes", "unlimited"),
    ("n", "open files", "", "1024"),
    ("p", "pipe size", "512 bytes", "8"),
    ("q", "POSIX message queues", "bytes", "819200"),
    ("r", "real-time priority", "", "0"),
    ("s", "stack size", "kbytes", "8192"),
    ("t", "cpu time", "seconds", "unlimited"),
    ("u", "max user processes", "", ""),
    ("v", "virtual memory", "kbytes", "unlimited"),
    ("x", "file locks", "", "unlimited"),
)


@builtin("ulimit")
async def ulimit(shell: Any, words: list[str]) -> int:
    memory = shell.system.host.persona.hardware.memory_kb
    # As the kernel sets them from the memory it has.
    threads, locked = str(memory // 256 - memory // 256 % 7), str(max(64, memory // 8))
    given = {"i": threads, "u": threads, "l": locked}
    flags = "".join(word[1:] for word in words[1:] if re.fullmatch(r"-[A-Za-z]+", word))
    operands = [word for word in words[1:] if not re.fullmatch(r"-[A-Za-z]+", word)]
    letters = [letter for letter in flags if letter not in "SHa"] or ["f"]
    table = {letter: (name, unit, shell.limits.get(letter) or given.get(letter, value)) for letter, name, unit, value in LIMITS}
    if "a" in flags:
        for letter, (name, unit, value) in table.items():
            unit = f"({unit}, -{letter})" if unit else f"(-{letter})"
            out(shell, f"{name:<20}{unit:>20} {value}\n")
        return 0
    for letter in letters:
        if letter not in table:
            shell.complain(f"ulimit: -{letter}: invalid option")
            shell.say_error("ulimit: usage: ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]\n")
            return 2
        if not operands:
            out(shell, table[letter][2] + "\n")
            continue
        value = operands[0]
        if value in ("unlimited", "hard", "soft"):
            hard = {"n": "1048576", "c": "unlimited"}.get(letter, table[letter][2])
            value = hard if value == "hard" else value
        elif not value.isdigit():
            shell.complain(f"ulimit: {value}: invalid number")
            return 1
        if letter == "n" and (value == "unlimited" or int(value) > 1048576) or letter == "n" and shell.account.uid and int(value) > 1048576:
            shell.complain("ulimit: open files: cannot modify limit: Operation not permitted")
            return 1
        shell.limits[letter] = value
    return 0


@builtin("times")
async def times(shell: Any, words: list[str]) -> int:
    used = shell.system.scheduler.used
    line = f"0m{used * 0.3:.3f}s 0m{used * 0.1:.3f}s\n" if shell.dialect.bash else f"0m{used * 0.3:.6f}s 0m{used * 0.1:.6f}s\n"
    out(shell, line * 2)
    return 0


@builtin("history", bash=True)
async def history(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    if operands[:1] and operands[0].startswith("-"):
        flag = operands[0][1:2]
        if flag == "c":
            shell.history.clear()
        elif flag == "d" and len(operands) > 1:
            text = operands[1]
            at = int(text) if re.fullmatch(r"-?\d+", text) else 0
            at = at - 1 if at > 0 else len(shell.history) + at
            if not 0 <= at < len(shell.history) or not text.lstrip("-").isdigit():
                shell.complain(f"history: {text}: history position out of range")
                return 1
            del shell.history[at]
        elif flag in "wa":
            path = operands[1] if len(operands) > 1 else shell.vars.get("HISTFILE")
            if path:
                text = "".join(line + "\n" for line in shell.history)
                shell.fs.write(shell.absolute(path), text.encode("utf-8", "surrogateescape"), append=flag == "a", mode=0o600)
        elif flag == "r":
            path = operands[1] if len(operands) > 1 else shell.vars.get("HISTFILE")
            if path:
                shell.history.extend(shell.fs.read(shell.absolute(path)).decode("utf-8", "surrogateescape").splitlines())
        elif flag == "s":
            shell.history[-1:] = [" ".join(operands[1:])]
        elif flag not in "np":
            shell.complain(f"history: -{flag}: invalid option")
            shell.say_error("history: usage: history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]\n")
            return 2
        return 0
    most = len(shell.history)
    if operands:
        if not operands[0].isdigit():
            shell.complain(f"history: {operands[0]}: numeric argument required")
            return 1
        most = int(operands[0])
    first = max(0, len(shell.history) - most)
    out(shell, "".join(f"{at + 1:5d}  {line}\n" for at, line in enumerate(shell.history) if at >= first))
    return 0


@builtin("fc", "bind", "complete", "compgen", "compopt", "caller", bash=True)
async def quiet(shell: Any, words: list[str]) -> int:
    """Of use in interactive set-up files alone."""
    if words[0] == "caller":
        if not shell.calls:
            return 1
        out(shell, f"{shell.line} {shell.name}\n")
    if words[0] == "compgen" and words[1:2] == ["-c"]:
        from . import builtins

        out(shell, "".join(f"{name}\n" for name in builtins.names(shell)))
    return 0


@builtin("help", bash=True)
async def help_(shell: Any, words: list[str]) -> int:
    from . import builtins

    if len(words) > 1:
        missing = [word for word in words[1:] if word not in builtins.BUILTINS]
        for word in missing:
            shell.complain(f"help: no help topics match `{word}'.  Try `help help' or `man -k {word}' or `info {word}'.")
        for word in words[1:]:
            if word not in missing:
                out(shell, f"{word}: {word}\n    Shell builtin.\n")
        return int(bool(missing))
    machine = shell.system.host.persona.os.kernel.machine
    out(shell, f"GNU bash, version 5.2.15(1)-release ({machine}-pc-linux-gnu)\n")
    out(shell, "".join(f" {name}\n" for name in builtins.names(shell)))
    return 0
