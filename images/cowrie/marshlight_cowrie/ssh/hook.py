"""Puts this package's transport, authentication and connection in the place of Cowrie's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..signatures import expect, expect_attribute
from .algorithms import current_offer
from .software import software_of

if TYPE_CHECKING:
    from ..decoy import Decoy


def install(decoy: Decoy) -> None:
    from cowrie.ssh import connection as cowrie_connection
    from cowrie.ssh import factory, keys, transport, userauth
    from twisted.conch.ssh import factory as conch_factory
    from twisted.conch.ssh import userauth as conch_userauth

    expect(factory.CowrieSSHFactory.buildProtocol, "(self, addr)")
    expect(factory.CowrieSSHFactory.__init__, "(self, backend, pool_handler)")
    expect(transport.HoneyPotSSHTransport.connectionMade, "(self)")
    expect(transport.HoneyPotSSHTransport._emit_connect, "(self)")
    expect(transport.HoneyPotSSHTransport.setService, "(self, service)")
    expect(transport.HoneyPotSSHTransport.connectionLost, "(self, reason)")
    expect(userauth.HoneyPotSSHUserAuthServer.auth_password, "(self, packet)")
    expect(userauth.HoneyPotSSHUserAuthServer.auth_publickey, "(self, packet)")
    expect(conch_userauth.SSHUserAuthServer._cbFinishedAuth, "(self, result)")
    expect(cowrie_connection.CowrieSSHConnection.ssh_CHANNEL_REQUEST, "(self, packet)")
    expect(conch_factory.SSHFactory.getService, "(self, transport, service)")
    expect_attribute(keys, "RSA_KEY_SIZE")

    from .connection import ServerConnection
    from .public_key import install as take_keys
    from .transport import ServerTransport
    from .userauth import ServerUserAuth

    ServerUserAuth.decoy = ServerConnection.decoy = decoy
    if decoy.persona.ssh is not None:
        keys.RSA_KEY_SIZE = software_of(decoy.persona.ssh.banner).rsa_bits
    tell_errors_apart()
    take_keys()

    def build_protocol(self: Any, addr: Any) -> Any:
        offer, ssh = current_offer(decoy), decoy.persona.ssh
        if offer is None or ssh is None:
            return None
        software = software_of(ssh.banner)
        refusal = software.door.refuses(addr.host)
        if refusal is not None:
            return turned_away(refusal)
        made = ServerTransport()
        made.factory, made.offer, made.software, made.seed = self, offer, software, decoy.persona.seed
        made.ourVersionString, made.decoy = ssh.banner.encode("ascii"), decoy
        made.door = software.door
        made.door.enter(made, addr.host)
        return made

    factory.CowrieSSHFactory.buildProtocol = build_protocol
    factory.CowrieSSHFactory.getService = lambda self, transport, service: transport.software.services()[service]


def turned_away(words: bytes) -> Any:
    """A protocol that says so and hangs up."""
    from twisted.internet.protocol import Protocol

    class TurnedAway(Protocol):
        def connectionMade(self) -> None:
            assert self.transport is not None
            self.transport.write(words)
            self.transport.loseConnection()

    return TurnedAway()


def tell_errors_apart() -> None:
    """Cowrie's own shell writes errors of a command without a terminal to its output; sshd has a stream for them."""
    from cowrie.shell import pipe

    expect(pipe.PipeProtocol._write_to_fd, "(self, fd, data)")
    expect_attribute(pipe, "FD_TERMINAL")
    write = pipe.PipeProtocol._write_to_fd

    def write_to_fd(self: Any, fd: int, data: bytes) -> None:
        terminal = getattr(self.protocol, "terminal", None)
        channel = getattr(getattr(terminal, "transport", None), "session", None)
        if fd != 2 or getattr(terminal, "type", "") != "e" or getattr(channel, "terminal", False):
            write(self, fd, data)
            return
        channel.on_standard_error = True
        try:
            write(self, fd, data)
        finally:
            channel.on_standard_error = False

    pipe.PipeProtocol._write_to_fd = write_to_fd
