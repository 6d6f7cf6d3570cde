"""Requests on a channel: which are granted, and what is sent before the reply (OpenSSH: session.c)."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from .. import messages
from ..wire import read_numbers, read_string, string

Reply = Callable[[bool], None]

# AcceptEnv of the distributions' sshd_config.
ACCEPTED_ENVIRONMENT = ("LANG", "LC_*")


def answer(connection: Any, channel: Any, name: bytes, body: bytes, reply: Reply) -> None:
    if channel.name == b"session" and name in PROGRAMS and not channel.program:
        PROGRAMS[name](connection, channel, body, reply)
    elif channel.name == b"session" and name in SETTINGS and not channel.program:
        reply(SETTINGS[name](connection, channel, body))
    elif channel.name == b"session" and name in LATER:
        reply(LATER[name](channel, body))
    else:
        reply(False)


# What runs

def run_shell(connection: Any, channel: Any, body: bytes, reply: Reply) -> None:
    if not connection.run_forced(channel, None, reply):
        connection.run(channel, b"shell", body, reply)


def run_command(connection: Any, channel: Any, body: bytes, reply: Reply) -> None:
    text, _ = read_string(body)
    if not connection.run_forced(channel, text, reply):
        connection.run(channel, b"exec", body, reply)


def run_subsystem(connection: Any, channel: Any, body: bytes, reply: Reply) -> None:
    name, _ = read_string(body)
    if connection.run_forced(channel, name, reply):
        return
    if name not in channel.avatar.subsystemLookup:
        reply(False)
        return
    connection.run(channel, b"subsystem", body, reply)


PROGRAMS = {b"shell": run_shell, b"exec": run_command, b"subsystem": run_subsystem}


# What is set before

def set_terminal(connection: Any, channel: Any, body: bytes) -> bool:
    _, rest = read_string(body)
    _, rest = read_numbers(rest, 4)
    read_string(rest)
    if not connection.transport.entry.allowed.pty:
        return False
    if getattr(channel, "terminal", False):
        connection.transport.disconnect("Protocol error: you already have a pty.")
        return False
    channel.terminal = True
    return bool(channel.requestReceived(b"pty-req", body))


def set_environment(connection: Any, channel: Any, body: bytes) -> bool:
    name, rest = read_string(body)
    read_string(rest)
    channel.requestReceived(b"env", body)
    text = name.decode("utf-8", "replace")
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in ACCEPTED_ENVIRONMENT)


def set_display(connection: Any, channel: Any, body: bytes) -> bool:
    """X11Forwarding is on in Debian's and Ubuntu's sshd_config, and servers without a desktop lack xauth."""
    text = b"No xauth program; cannot forward X11."
    connection.send(messages.DEBUG, b"\0" + string(text) + string(b""))
    return False


def set_agent(connection: Any, channel: Any, body: bytes) -> bool:
    if getattr(channel, "agent", False):
        return False
    channel.agent = True
    channel.requestReceived(b"agent", body)
    return True


SETTINGS = {
    b"pty-req": set_terminal,
    b"env": set_environment,
    b"x11-req": set_display,
    b"auth-agent-req@openssh.com": set_agent,
}


# What comes while it runs

def change_window(channel: Any, body: bytes) -> bool:
    read_numbers(body, 4)
    if channel.session is not None:
        channel.requestReceived(b"window-change", body)
    return True


def send_signal(channel: Any, body: bytes) -> bool:
    """Only a server that has given up its rights signals: root's has not."""
    read_string(body)
    return channel.program and channel.avatar.uid != 0 and not getattr(channel, "terminal", False)


LATER = {b"window-change": change_window, b"signal": send_signal, b"break": lambda channel, body: False}
