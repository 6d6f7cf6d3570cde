"""
The telnet daemon of the persona and its login(1). inetutils opens as `telnet_inetutils` says; the others open as
BusyBox's does: DO ECHO, DO NAWS, WILL ECHO, WILL SGA before any text. Cowrie's own opening, DO NAWS alone, has a line in
nmap's table of services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import telnet_inetutils
from .drift import logins
from .settings import IDLE_SECONDS
from .signatures import expect, expect_attribute
from .ssh import pace

if TYPE_CHECKING:
    from .decoy import Decoy
    from .persona import Persona

# The transport takes one CR away from each line end.
NEWLINE = b"\r\r\n"
PAM_SYSTEMS = ("debian", "ubuntu", "raspbian", "rocky", "almalinux", "rhel", "centos", "fedora")
# LOGIN_RETRIES of login.defs, and what BusyBox's login has built in.
TRIES_WITH_PAM, TRIES_OF_BUSYBOX = 5, 3
FAIL_SECONDS = 3.0


def install(decoy: Decoy) -> None:
    from cowrie.telnet.transport import CowrieTelnetTransport
    from cowrie.telnet.userauth import NEW_ENVIRON
    from cowrie.telnet.userauth import HoneyPotTelnetAuthProtocol as Login
    from twisted.conch.telnet import ECHO, NAWS, SGA
    from twisted.internet import defer, reactor

    expect(Login.connectionMade, "(self)")
    expect(Login.dataReceived, "(self, data)")
    expect(Login._cbLogin, "(self, ial)")
    expect(Login._ebLogin, "(self, failure)")
    expect(CowrieTelnetTransport.wontChain, "(self, option)")
    expect_attribute(Login, "loginPrompt", "passwordPrompt", "telnet_NAWS", "telnet_NEW_ENVIRON")
    expect_attribute(CowrieTelnetTransport, "_do", "_will", "getOptionState", "requestNegotiation", "do", "will")
    expect(CowrieTelnetTransport.connectionLost, "(self, reason)")
    received = Login.dataReceived
    lost = CowrieTelnetTransport.connectionLost

    def connection_lost(self: Any, *reason: Any) -> None:
        visit = getattr(self, "visit", None)
        if visit is not None:
            decoy.visits.left(visit)
        self.gone = True
        lost(self, *reason)

    def connection_made(self: Any) -> None:
        telnet, wire = decoy.persona.telnet, self.transport
        if telnet is None:
            wire.loseConnection()
            return
        self.loginPrompt = telnet.login_prompt.encode("utf-8", "replace")
        self.passwordPrompt = telnet.password_prompt.encode("utf-8", "replace")
        wire.negotiationMap[NAWS] = self.telnet_NAWS
        wire.negotiationMap[NEW_ENVIRON] = self.telnet_NEW_ENVIRON
        self.environ_received, self.windowSize, self.failures = {}, [40, 80], 0
        peer = wire.getPeer()
        wire.visit = decoy.visits.connected("login", peer.host, peer.port)
        wire.visit.client.tty = decoy.visits.free_terminal()
        # The server echoes from here to the end; Cowrie would hand that back to the client around the password.
        wire.wontChain = lambda option: defer.succeed(None)
        wire.willChain = lambda option: defer.succeed(None)
        if telnet_inetutils.speaks(decoy.persona):
            telnet_inetutils.open_dialogue(wire, lambda: greet(self, telnet_inetutils.banner(decoy.persona)))
            return
        wire._do(ECHO)
        wire.doChain(NAWS)
        for option in (ECHO, SGA):
            CowrieTelnetTransport.willChain(wire, option)
        greet(self, telnet.banner.encode("utf-8", "replace"))

    def greet(self: Any, banner: bytes) -> None:
        self.transport.write(banner.replace(b"\r\n", b"\n").replace(b"\n", NEWLINE) + self.loginPrompt)

    def data_received(self: Any, data: bytes) -> None:
        if self.state == "User":
            # The terminal behind it echoes, whatever the client said of that.
            name, end, _ = data.partition(b"\n")
            self.transport.write(name + (NEWLINE if end else b""))
        elif self.state == "Password":
            decoy.visits.asked(self.transport.visit, self.username.decode("utf-8", "replace"))
        received(self, data)

    def passed(self: Any, ial: Any) -> None:
        logins.of_telnet(self.transport, lambda: let_in(self, ial))

    def let_in(self: Any, ial: Any) -> None:
        _, protocol, self.logout = ial
        visit = self.transport.visit
        key = decoy.trees.key_for(visit.client.source, protocol.username)
        account = decoy.trees.account(key, protocol.username)
        if account is not None:
            decoy.visits.entered(visit, key, account, "password")
        protocol.windowSize, self.protocol, self.state = self.windowSize, protocol, "Command"
        self.transport.write(NEWLINE)
        self.transport.setTimeout(IDLE_SECONDS)
        protocol.makeConnection(self.transport)
        self.transport.protocol = protocol

    def failed(self: Any, _reason: Any) -> None:
        logins.of_telnet(self.transport, lambda: turn_away(self))

    def turn_away(self: Any) -> None:
        self.failures += 1
        decoy.visits.refused(self.transport.visit)
        self.transport.write(NEWLINE)
        seconds = FAIL_SECONDS if not has_pam(decoy.persona) else pace.pam_delay(FAIL_SECONDS)
        reactor.callLater(seconds, refuse, self)

    def refuse(self: Any) -> None:
        if self.transport is None or self.transport.transport is None:
            return
        last = self.failures >= (TRIES_WITH_PAM if has_pam(decoy.persona) else TRIES_OF_BUSYBOX)
        incorrect = b"\nLogin incorrect\n" if has_pam(decoy.persona) else b"Login incorrect\n"
        if last and has_pam(decoy.persona):
            incorrect += b"Maximum number of tries exceeded (%d)\n" % TRIES_WITH_PAM
        self.transport.write(incorrect.replace(b"\n", NEWLINE))
        if last:
            self.transport.loseConnection()
            return
        self.transport.write(self.loginPrompt)
        self.state = "User"

    Login.connectionMade = connection_made
    Login.dataReceived = data_received
    Login._cbLogin = passed
    Login._ebLogin = failed
    CowrieTelnetTransport.connectionLost = connection_lost


def has_pam(persona: Persona) -> bool:
    return persona.os.id in PAM_SYSTEMS
