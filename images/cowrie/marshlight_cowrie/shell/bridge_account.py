"""What a log-in's shell starts from: the account, its shell, and the environment that the daemon hands over."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from ..machine.kind import small
from .dialect import ASH, BASH, DASH, Dialect
from .ports import Account

if TYPE_CHECKING:
    from .bridge_session import ShellSession


def account_of(session: ShellSession, user: Any) -> Account:
    system = session.system
    found = system.account_of(user.username)
    shell = next((one.shell for one in session.decoy.persona.users if one.name == user.username), "/bin/bash")
    if found is not None and found.uid == user.uid:
        return found
    return Account(user.username, user.uid, user.gid, (user.gid,), user.avatar.home, shell)


def dialect_of(session: ShellSession) -> tuple[Dialect, str]:
    """Of the account's shell, and the name it runs under."""
    name = posixpath.basename(session.account.shell) or "sh"
    system = session.decoy.persona.os.id
    if small(session.decoy.persona):
        return ASH, name if name in ("ash", "sh") else "sh"
    if name in ("bash", "rbash"):
        return BASH, name
    if name == "dash" or name == "sh" and system in ("debian", "ubuntu", "raspbian", "linuxmint", "devuan", "kali"):
        return DASH, name
    if name in ("ash", "sh", "busybox"):
        return ASH, "sh" if name == "busybox" else name
    return BASH, "bash"


def environment_of(session: ShellSession, dialect: Dialect) -> dict[str, str]:
    given = dict(session.protocol.environ)
    for name in ("UID", "SHLVL", "TMOUT", "COLUMNS", "LINES"):
        given.pop(name, None)
    given["SHELL"] = session.account.shell
    peer, own = session.protocol.realClientIP, session.system.host.address
    port = getattr(session.protocol, "realClientPort", 0)
    if not session.telnet:
        given["SSH_CLIENT"] = f"{peer} {port} 22"
        given["SSH_CONNECTION"] = f"{peer} {port} {own} 22"
        if session.system.tty:
            given["SSH_TTY"] = session.system.tty
        asked = getattr(session.protocol.terminal.transport.session, "original_command", None)
        if asked is not None:
            given["SSH_ORIGINAL_COMMAND"] = asked.decode("utf-8", "surrogateescape")
        given.setdefault("MOTD_SHOWN", "pam") if session.decoy.persona.os.id in ("debian", "ubuntu") else None
    # A host that was set up with the locale C has none in the environment.
    locale = session.decoy.persona.locale or ("en_US.UTF-8" if dialect.bash else "C")
    if locale != "C":
        given.setdefault("LANG", locale)
    return given
