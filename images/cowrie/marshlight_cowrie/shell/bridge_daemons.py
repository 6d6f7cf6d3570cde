"""The processes of the daemon that let a client in, as `ps` shows them above its shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..life.present import listener
from ..machine.kind import small

if TYPE_CHECKING:
    from .bridge_session import ShellSession


def seed_processes(session: ShellSession) -> int:
    """What the daemon that let the client in runs for it."""
    table, tty = session.system.table, (session.system.tty or "").replace("/dev/", "")
    if small(session.decoy.persona):
        # telnetd's login becomes the shell; dropbear's child keeps its parent's words.
        daemon = next((row for row in table.rows() if ("telnetd" if session.telnet else "dropbear") in row.command), None)
        if daemon is not None and session.telnet:
            return daemon.pid
        if daemon is not None:
            pid = session.visit.pid
            # Since 2022 it starts itself anew for each client, with the descriptor of the connection.
            banner = session.decoy.persona.ssh.banner if session.decoy.persona.ssh else ""
            again = " -2 8" if banner.partition("dropbear_")[2][:4] >= "2022" else ""
            table.add(pid, daemon.pid, "root", f"{daemon.command}{again}", None, "S")
            return pid
    if session.telnet:
        pid = session.visit.pid
        table.add(pid, 1, "root", f"login -h {session.protocol.realClientIP} -p", session.system.tty, "Ss")
        return pid
    monitor = session.visit.pid
    table.add(monitor, listener(session.decoy.persona), "root", f"sshd: {session.account.name}{' [priv]' if session.account.uid else f'@{tty}' if tty else '@notty'}", None, "Ss")
    if not session.account.uid:
        return monitor
    pid = session.decoy.visits.child(session.visit)
    table.add(pid, monitor, session.account.name, f"sshd: {session.account.name}@{tty or 'notty'}", None, "S")
    return pid
