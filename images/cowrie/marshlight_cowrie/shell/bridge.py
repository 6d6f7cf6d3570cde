"""
Cowrie's log-ins get our shell: its protocols stay (events, time-outs, line editing), what a line does is ours.

    SSH channel, telnet -> HoneyPotExecProtocol | HoneyPotInteractiveProtocol -> ShellSession -> Shell
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..signatures import expect, expect_attribute
from ..transfer import scp
from ..transfer.hook import captured
from . import bridge_commands, busybox
from .applets import registry_for
from .bridge_keys import install as install_keys
from .bridge_session import ShellSession
from .ports import Registries, Registry
from .programs import register as register_shells

if TYPE_CHECKING:
    from ..decoy import Decoy


def install(decoy: Decoy) -> None:
    import sys

    from cowrie.insults import insults
    from cowrie.shell import protocol

    base, run, talk = protocol.HoneyPotBaseProtocol, protocol.HoneyPotExecProtocol, protocol.HoneyPotInteractiveProtocol
    logging = insults.LoggingServerProtocol
    expect(base.connectionMade, "(self)")
    expect(base.boot_time, "(self)")
    expect(base.lineReceived, "(self, line)")
    expect(base.eofReceived, "(self)")
    expect(base.end_process, "(self, code)")
    expect(base.connectionLost, "(self, reason)")
    expect(run.connectionMade, "(self)")
    expect(talk.connectionMade, "(self)")
    expect(logging.dataReceived, "(self, data)")
    expect(logging.connectionLost, "(self, reason)")
    expect_attribute(base, "commands")
    # Coroutines within coroutines are frames within frames; the shell itself stops long before.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 12000))

    common = registry_of(base.commands)
    registries = Registries(common, registry_for(common))
    connected = base.connectionMade

    def run_connected(self: Any) -> None:
        connected(self)
        self.cmdstack = []
        self.shell_session = ShellSession(decoy, self, registries)
        if getattr(self.terminal.transport.session, "is_log_in", False):
            self.shell_session.start_reading()
        else:
            self.shell_session.start_command(self.execcmd)

    def talk_connected(self: Any) -> None:
        command = getattr(self.terminal.transport.session, "terminal_command", None)
        if command is None:
            self.displayMOTD()
        connected(self)
        protocol.recvline.HistoricRecvLine.connectionMade(self)
        self.cmdstack = []
        self.shell_session = ShellSession(decoy, self, registries)
        self.keyHandlers.update(self.own_keys())
        if command is None:
            self.shell_session.start_interactive()
        else:
            self.shell_session.start_on_terminal(command.decode("utf-8", "surrogateescape"))

    def line_received(self: Any, line: bytes) -> None:
        session = self.shell_session
        if session.terminal is not None:
            session.terminal.line(line)

    def eof_received(self: Any) -> None:
        session = getattr(self, "shell_session", None)
        if session is None or session.closed:
            return
        if session.channel is not None:
            session.channel.end()
        elif session.terminal is not None:
            session.terminal.end()

    # Cowrie makes /proc/uptime of it.
    base.boot_time = lambda self: decoy.persona.booted_at
    run.connectionMade, talk.connectionMade = run_connected, talk_connected
    base.lineReceived = line_received
    base.eofReceived = run.eofReceived = eof_received
    receive_bytes(logging)
    keep_at_the_end(logging)
    install_keys(talk)


def registry_of(commands: dict[str, Any]) -> Registry:
    registry = Registry()
    name = f"{__package__}.commands"
    try:
        importlib.import_module(name).register(registry)
    except ModuleNotFoundError as missing:
        if missing.name != name:
            raise
    register_shells(registry)
    busybox.register(registry)
    bridge_commands.register(registry, commands)
    scp.registered(registry.by_name, captured)
    return registry


def receive_bytes(logging: Any) -> None:
    """Input of a command is bytes: keys and escape sequences are for terminals."""
    received = logging.dataReceived

    def data_received(self: Any, data: bytes) -> None:
        if self.type != "e" or self.terminalProtocol is None:
            received(self, data)
            return
        self.bytesReceived += len(data)
        if self.bytesReceivedLimit and self.bytesReceived > self.bytesReceivedLimit:
            self.eofReceived()
            return
        self.terminalProtocol.resetTimeout()
        if self.stdinlogOpen:
            with open(self.stdinlogFile, "ab") as log:
                log.write(data)
        session = getattr(self.terminalProtocol, "shell_session", None)
        if session is not None and session.channel is not None:
            session.channel.receive(data)

    logging.dataReceived = data_received


def keep_at_the_end(logging: Any) -> None:
    lost = logging.connectionLost

    def connection_lost(self: Any, *reason: Any) -> None:
        session = getattr(self.terminalProtocol, "shell_session", None)
        if session is not None:
            session.close()
        lost(self, *reason)

    logging.connectionLost = connection_lost
