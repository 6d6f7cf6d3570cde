"""What programs write into the system's log, and logger(1), which writes what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .inputs import whole
from .options import Usage, parse

if TYPE_CHECKING:
    from ..ports import Process

#: Facilities of syslog(3) as the logs know them.
FACILITIES = {
    **dict.fromkeys(("auth", "authpriv", "security"), "auth"), **dict.fromkeys(("cron",), "cron"),
    **dict.fromkeys(("daemon", "lpr", "mail", "news", "uucp", "ftp", "syslog"), "daemon"), "kern": "user",
    **dict.fromkeys(("user", *(f"local{number}" for number in range(8))), "user"),
}  # fmt: skip


def note(p: Process, facility: str, text: str, tag: str | None = None) -> None:
    """`tag`: without a number where it is given; else the program's name with its process."""
    syslog = getattr(p.host, "syslog", None)
    if syslog is not None:
        syslog(facility, tag or f"{p.args[0].rsplit('/', 1)[-1]}[{p.pid}]", text)


def terminal(p: Process, nothing: str = "none") -> str:
    return (p.tty or nothing).removeprefix("/dev/")


def login_name(p: Process) -> str:
    """getlogin(3): who logged in on the terminal; nobody without one."""
    return (getattr(p.host, "login_name", "") or p.account.name) if p.tty else ""


async def logger(p: Process) -> int:
    options = parse(
        p, "ef:hin:p:P:st:TduV",
        "id:? stderr:s file:f priority:p tag:t no-act help:h version:V server:n port:P tcp:T udp:d journald:? skip-empty:e",
        hint=False,
    )  # fmt: skip
    if "V" in options:
        p.out("logger from util-linux 2.38.1\n")
        return 0
    facility, dot, level = options.text("p", "user.notice").rpartition(".")
    if (facility or "user") not in FACILITIES:
        raise Usage(f"logger: unknown facility name: {facility}\n" if dot else f"logger: unknown priority name: {level}\n")
    tag = options.text("t", p.account.name)
    if "i" in options:
        tag = f"{tag}[{p.pid}]"
    told = " ".join(options.operands)
    lines = [told] if told else (await whole(p, p.path(options.text("f")) if "f" in options else "-")).decode("utf-8", "replace").splitlines()
    for line in lines[:200]:
        note(p, FACILITIES[facility or "user"], line, tag)
        if "s" in options:
            p.stderr.write(f"<13>{tag}: {line}\n".encode())
    return 0


COMMANDS = {"logger": logger}
