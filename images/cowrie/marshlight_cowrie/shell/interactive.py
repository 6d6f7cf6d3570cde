"""A shell that talks to a person: prompt, line, run, prompt. The terminal's editing is the bridge's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .children import isolated
from .control import Exit, Return
from .cursor import Incomplete, SyntaxFailure
from .profiles import read_logout, read_startup
from .prompt import prompt_text
from .startup import history_variables
from .tasks import Interrupted

if TYPE_CHECKING:
    from .interpreter import Shell

#: Interactive: an end of file in place of an exit.
ENDED = b""


async def interact(shell: Shell, *, rc: bool = True, profile: bool = True, rcfile: str | None = None) -> int:
    """Until `exit` or the end of the input; the status of the shell."""
    shell.system.table.handlers[shell.pid] = shell.jobs.receive
    try:
        await read_startup(shell, rc=rc, profile=profile, rcfile=rcfile)
        if shell.dialect.bash:
            history_variables(shell)
        shell.status = 0
        while True:
            shell.jobs.tell_finished()
            try:
                if not await one_command(shell):
                    if shell.dialect.bash:
                        shell.say_error("logout\n" if shell.login else "exit\n")
                    break
            except Interrupted as interrupted:
                if interrupted.number != 2:
                    raise
                shell.status, shell.loops, shell.condition = 130, 0, 0
                shell.calls.clear()
                del shell.vars.scopes[1:]
            except RecursionError:
                shell.status, shell.loops = 139, 0
            except BrokenPipeError:
                shell.status = 141
    except Exit as leave:
        shell.status = leave.status
    status = shell.status
    try:
        await read_logout(shell)
    except Exit as leave:
        status = leave.status
    shell.status = status
    return await isolated(shell, ended(shell))


async def ended(shell: Shell) -> int:
    return shell.status


async def one_command(shell: Shell) -> bool:
    """Reads lines until they are whole, and runs them; False at the end of the input."""
    text, prompt = "", "PS1"
    command = shell.vars.get("PROMPT_COMMAND")
    if command:
        status = shell.status
        await run(shell, command)
        shell.status = status
    while True:
        line = await ask(shell, await prompt_text(shell, prompt), first=not text)
        if line is None:
            if not text:
                return False
            shell.refuse(Incomplete(1), "", text)
            return True
        if not text:
            line = expand_history(shell, line)
        text += line + "\n"
        if re.search(r"(?:^|[^\\])(?:\\\\)*\\\n\Z", text):
            prompt = "PS2"
            continue
        try:
            read_all(shell, text)
        except Incomplete:
            prompt = "PS2"
            continue
        except SyntaxFailure:
            pass
        break
    remember(shell, text)
    await run(shell, text)
    return True


def read_all(shell: Shell, text: str) -> None:
    parser = shell.parser(text, final=False)
    while parser.next_line() is not None:
        pass


async def run(shell: Shell, text: str) -> None:
    try:
        parser = shell.parser(text)
        while True:
            try:
                found = parser.next_line()
            except SyntaxFailure as failure:
                shell.refuse(failure, "", text)
                return
            if found is None:
                return
            await shell.run_line(found)
    except Return as leave:
        shell.status = leave.status


async def ask(shell: Shell, prompt: str, *, first: bool) -> str | None:
    stream: Any = shell.fds.get(0)
    if stream is None:
        return None
    edit = getattr(stream, "ask", None)
    if edit is not None:
        line = await edit(prompt, shell, first=first)
        return None if line is None else str(line)
    shell.say_error(prompt)
    data = await stream.readline()
    return data.decode("utf-8", "surrogateescape").rstrip("\n") if data else None


def remember(shell: Shell, text: str) -> None:
    line = text.rstrip("\n")
    control = shell.vars.get("HISTCONTROL") or ""
    if not line.strip():
        return
    if line.startswith(" ") and ("ignorespace" in control or "ignoreboth" in control):
        return
    if ("ignoredups" in control or "ignoreboth" in control) and shell.history[-1:] == [line]:
        return
    if shell.option("history") or not shell.dialect.bash:
        shell.history.append(line)
        del shell.history[:-2000]


def expand_history(shell: Shell, line: str) -> str:
    """`!!`, `!n`, `!-n`, `!text`, `!$`; what is in single quotes stays."""
    if "!" not in line or not shell.option("histexpand") or not shell.dialect.bash:
        return line

    def found(match: re.Match[str]) -> str:
        if match.group(1):
            return match.group()
        word = match.group(2)
        history = shell.history
        event = None
        if word == "!":
            event = history[-1] if history else None
        elif word == "$":
            event = history[-1].split()[-1] if history and history[-1].split() else None
        elif re.fullmatch(r"-?\d+", word):
            at = int(word) - 1 if int(word) > 0 else len(history) + int(word)
            event = history[at] if 0 <= at < len(history) else None
        else:
            event = next((one for one in reversed(history) if one.startswith(word)), None)
        if event is None:
            raise LookupError(word)
        return event

    try:
        made = re.sub(r"('[^']*'|\\!)|!(!|\$|-?\d+|[A-Za-z./][^\s;|&()<>\"']*)", found, line)
    except LookupError as missing:
        shell.say_error(f"{shell.name}: !{missing.args[0]}: event not found\n")
        return ""
    if made != line:
        shell.say_error(made + "\n")
    return made
