"""`PS1` and its kin: backslash escapes of the prompt."""

from __future__ import annotations

import re
import time
from typing import Any


def decoded(shell: Any, text: str) -> str:
    host = shell.system.host
    now = time.gmtime(host.now() + getattr(host, "utc_offset", 0))

    def folder(*, short: bool) -> str:
        home = shell.vars.get("HOME") or ""
        cwd = shell.vars.get("PWD") or shell.cwd
        if home == "/":
            # A home that is the root itself is one to ash alone, and holds nothing below it.
            cwd = "~" if cwd == "/" and shell.dialect.kind == "ash" else cwd
        elif home and (cwd == home or cwd.startswith(home.rstrip("/") + "/")):
            cwd = "~" + cwd[len(home.rstrip("/")) :]
        return (cwd.rstrip("/").rsplit("/", 1)[-1] or "/") if short else cwd

    def sign(found: re.Match[str]) -> str:
        mark = found.group(1)
        if mark[0] in "01234567":
            return chr(int(mark, 8) & 255)
        simple = {
            "u": lambda: shell.account.name,
            "h": lambda: host.persona.hostname.split(".")[0],
            "H": lambda: host.persona.hostname,
            "w": lambda: folder(short=False),
            "W": lambda: folder(short=True),
            "$": lambda: "#" if shell.account.uid == 0 else "$",
            "s": lambda: shell.name.lstrip("-").rsplit("/", 1)[-1],
            "v": lambda: "5.2",
            "V": lambda: "5.2.15",
            "j": lambda: str(len(shell.jobs.jobs)),
            "l": lambda: (shell.system.tty or "tty").rsplit("/", 1)[-1],
            "!": lambda: str(len(shell.history) + 1),
            "#": lambda: str(len(shell.history) + 1),
            "t": lambda: time.strftime("%H:%M:%S", now),
            "T": lambda: time.strftime("%I:%M:%S", now),
            "A": lambda: time.strftime("%H:%M", now),
            "@": lambda: time.strftime("%I:%M %p", now),
            "d": lambda: time.strftime("%a %b %d", now),
            "n": lambda: "\n",
            "r": lambda: "\r",
            "a": lambda: "\a",
            "e": lambda: "\x1b",
            "[": lambda: "",
            "]": lambda: "",
            "\\": lambda: "\\",
        }
        return simple[mark]() if mark in simple else "\\" + mark

    return re.sub(r"\\([0-7]{3}|.)", sign, text, flags=re.S)


async def prompt_text(shell: Any, name: str) -> str:
    """The prompt with its escapes and expansions."""
    raw = shell.vars.get(name)
    if raw is None:
        return ""
    text = decoded(shell, raw) if shell.dialect.kind != "dash" else raw
    if not re.search(r"[$`]", raw.replace("\\$", "")):
        return text
    from .nodes import Word
    from .words import WordReader

    reader = shell.parser(text)
    assert isinstance(reader, WordReader)
    try:
        return str(await shell.expander.text(Word(reader.double(""))))
    except Exception:
        return text
