"""set, shopt."""

from __future__ import annotations

from typing import Any

from . import ash
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
                known = SET_NAMES if shell.dialect.bash else ash.OPTIONS if shell.dialect.kind == "ash" else POSIX_NAMES
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
    names = SET_NAMES if shell.dialect.bash else ash.OPTIONS if shell.dialect.kind == "ash" else POSIX_NAMES
    if readable:
        if shell.dialect.kind == "dash":
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
