"""Requests on a channel as Dropbear grants them: no environment, no X11, one agent, one terminal, sftp where it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..wire import Unreadable, read_numbers, string
from .limits import LONGEST_NAME, LONGEST_TERMINAL, read_text

if TYPE_CHECKING:
    from ...decoy import Decoy

Reply = Callable[[bool], None]

SIGNALS = {
    *(b"ABRT", b"ALRM", b"FPE", b"HUP", b"ILL", b"INT", b"KILL"),
    *(b"PIPE", b"QUIT", b"SEGV", b"TERM", b"USR1", b"USR2"),
}
# Where builds look for a program that Dropbear does not bring along: its own default, and Debian's.
SFTP_SERVER = "/usr/libexec/sftp-server"
SFTP_SERVERS = (SFTP_SERVER, "/usr/lib/sftp-server")


def answer(connection: Any, channel: Any, name: bytes, body: bytes, reply: Reply) -> None:
    if channel.name != b"session" or len(name) > LONGEST_NAME:
        reply(False)
    elif name in PROGRAMS:
        PROGRAMS[name](connection, channel, body, reply)
    elif name in SETTINGS:
        reply(SETTINGS[name](connection, channel, body))
    else:
        reply(False)


# What runs: one program a channel, but a channel that had none may ask again.

def run_shell(connection: Any, channel: Any, body: bytes, reply: Reply) -> None:
    start(connection, channel, b"shell", body, None, reply)


def run_command(connection: Any, channel: Any, body: bytes, reply: Reply) -> None:
    text, _ = read_text(body)
    start(connection, channel, b"exec", body, text, reply)


def run_subsystem(connection: Any, channel: Any, body: bytes, reply: Reply) -> None:
    name, _ = read_text(body)
    if name != b"sftp":
        reply(False)
    elif has_sftp_server(connection.decoy):
        start(connection, channel, b"subsystem", body, name, reply)
    else:
        # The shell says that there is no such program.
        start(connection, channel, b"exec", string(SFTP_SERVER.encode()), name, reply)


def has_sftp_server(decoy: Decoy) -> bool:
    view = decoy.trees.host_view()
    for path in SFTP_SERVERS:
        with contextlib.suppress(OSError):
            view.stat(path)
            return True
    return False


def start(connection: Any, channel: Any, kind: bytes, body: bytes, asked: bytes | None, reply: Reply) -> None:
    if channel.program:
        reply(False)
    elif not connection.run_forced(channel, asked, reply):
        connection.run(channel, kind, body, reply)


PROGRAMS = {b"shell": run_shell, b"exec": run_command, b"subsystem": run_subsystem}


def set_terminal(connection: Any, channel: Any, body: bytes) -> bool:
    if not connection.transport.entry.allowed.pty:
        return False
    kind, rest = read_text(body)
    if len(kind) > LONGEST_TERMINAL:
        return False
    if getattr(channel, "terminal", False):
        connection.transport.disconnect("a second terminal")
        return False
    _, rest = read_numbers(rest, 4)
    (size,), modes = read_numbers(rest, 1)
    if size != len(modes):
        raise Unreadable("terminal modes of another length")
    channel.terminal = True
    return bool(channel.requestReceived(b"pty-req", body))


def change_window(connection: Any, channel: Any, body: bytes) -> bool:
    if not getattr(channel, "terminal", False):
        return False
    read_numbers(body, 4)
    if channel.session is not None:
        channel.requestReceived(b"window-change", body)
    return True


def set_agent(connection: Any, channel: Any, body: bytes) -> bool:
    if getattr(channel, "agent", False):
        return False
    channel.agent = True
    channel.requestReceived(b"agent", body)
    return True


def send_signal(connection: Any, channel: Any, body: bytes) -> bool:
    return channel.program and read_text(body)[0] in SIGNALS


SETTINGS = {
    b"pty-req": set_terminal,
    b"window-change": change_window,
    b"auth-agent-req@openssh.com": set_agent,
    b"signal": send_signal,
}
