"""What stands before the first prompt: the last visit, as sshd or login(1) tells it from lastlog."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..life.calendar import zone
from ..life.records import LASTLOG
from ..login.entry import rules_of

if TYPE_CHECKING:
    from ..persona import Persona
    from ..tree.view import View
    from ..visits import Visit
    from .ports import Account


def wire_of(protocol: Any) -> Any:
    """The connection that the shell's protocol stands on."""
    session = protocol.terminal.transport.session
    return session.conn.transport if hasattr(session, "conn") else protocol.user.transport


def visit_of(protocol: Any) -> Visit:
    found: Visit = wire_of(protocol).visit
    return found


def greet(persona: Persona, tree: View, visit: Visit, account: Account, terminal: Any) -> None:
    kind, root = visit.client.kind, tree.as_account(0, (0,))
    if kind == "dropbear" or root.access(f"{account.home.rstrip('/')}/.hushlogin"):
        return
    if kind == "login" and not root.access("/etc/pam.d/login") and persona.os.id not in ("debian", "ubuntu"):
        return
    if kind == "sshd" and not rules_of(persona, root, account.name, visit.client.source).last_login:
        return
    said = last(root, account.uid)
    if said is None:
        return
    at, line, host = said
    there = datetime.fromtimestamp(at, zone(persona.timezone))
    date = f"{there:%a %b} {there.day:2d} {there:%H:%M:%S}"
    if kind == "sshd":
        terminal.write(f"Last login: {date} {there.year}{f' from {host}' if host else ''}\n".encode())
    else:
        terminal.write(f"Last login: {date} {there:%Z} {there.year}{f' from {host}' if host else ''} on {line}\n".encode())


def last(root: View, uid: int) -> tuple[float, str, str] | None:
    """When, on which terminal and from where the account was used last; None where lastlog has nothing of it."""
    try:
        with root.open("/var/log/lastlog", 0) as file:
            raw = file.read(uid * LASTLOG.size, LASTLOG.size)
    except OSError:
        return None
    if len(raw) < LASTLOG.size:
        return None
    at, line, host = LASTLOG.unpack(raw)
    return (float(at), text(line), text(host)) if at else None


def text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")
