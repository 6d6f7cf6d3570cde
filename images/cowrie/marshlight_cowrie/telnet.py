"""
The telnet greeting and prompts of the persona, opened as BusyBox's telnetd does: DO ECHO, DO NAWS, WILL ECHO, WILL SGA
before any text. Cowrie's own opening, DO NAWS alone, has a line in nmap's table of services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .signatures import expect, expect_attribute

if TYPE_CHECKING:
    from .decoy import Decoy


def install(decoy: Decoy) -> None:
    from cowrie.telnet.transport import CowrieTelnetTransport
    from cowrie.telnet.userauth import NEW_ENVIRON
    from cowrie.telnet.userauth import HoneyPotTelnetAuthProtocol as Login
    from twisted.conch.telnet import ECHO, NAWS, SGA
    from twisted.internet import defer

    expect(Login.connectionMade, "(self)")
    expect(Login.dataReceived, "(self, data)")
    expect(CowrieTelnetTransport.wontChain, "(self, option)")
    expect_attribute(Login, "loginPrompt", "passwordPrompt", "telnet_NAWS", "telnet_NEW_ENVIRON")
    expect_attribute(CowrieTelnetTransport, "_do", "getOptionState")
    received = Login.dataReceived

    def connection_made(self: Any) -> None:
        telnet, wire = decoy.persona.telnet, self.transport
        if telnet is None:
            wire.loseConnection()
            return
        self.loginPrompt = telnet.login_prompt.encode("utf-8", "replace")
        self.passwordPrompt = telnet.password_prompt.encode("utf-8", "replace")
        wire.negotiationMap[NAWS] = self.telnet_NAWS
        wire.negotiationMap[NEW_ENVIRON] = self.telnet_NEW_ENVIRON
        self.environ_received, self.windowSize = {}, [40, 80]
        # The server echoes from here to the end; Cowrie would hand that back to the client around the password.
        wire.wontChain = lambda option: defer.succeed(None)
        wire._do(ECHO)
        wire.doChain(NAWS)
        wire.willChain(ECHO)
        wire.willChain(SGA)
        # The transport takes one CR away from each line end.
        wire.write(telnet.banner.encode("utf-8", "replace").replace(b"\n", b"\r\r\n"))
        wire.write(self.loginPrompt)

    def data_received(self: Any, data: bytes) -> None:
        if self.state == "User" and self.transport.getOptionState(ECHO).us.state == "yes":
            name, end, _ = data.partition(b"\n")
            self.transport.write(name + (b"\r\r\n" if end else b""))
        received(self, data)

    Login.connectionMade = connection_made
    Login.dataReceived = data_received
