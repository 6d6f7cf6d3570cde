"""Puts this package's transport, authentication and connection in the place of Cowrie's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..signatures import expect, expect_attribute
from .algorithms import current_offer

if TYPE_CHECKING:
    from ..decoy import Decoy

RSA_BITS = 3072


def install(decoy: Decoy) -> None:
    from cowrie.ssh import connection as cowrie_connection
    from cowrie.ssh import factory, keys, transport, userauth
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
    expect_attribute(factory, "HoneyPotSSHUserAuthServer", "shellTransport")
    expect_attribute(keys, "RSA_KEY_SIZE")

    from .connection import OpensshConnection
    from .startups import Startups, turned_away
    from .public_key import install as take_keys
    from .transport import OpensshTransport
    from .userauth import OpensshUserAuth

    OpensshUserAuth.decoy = OpensshConnection.decoy = decoy
    factory.HoneyPotSSHUserAuthServer = OpensshUserAuth
    cowrie_connection.CowrieSSHConnection = OpensshConnection
    # What ssh-keygen makes where nobody asks for a size.
    keys.RSA_KEY_SIZE = RSA_BITS
    tell_errors_apart()
    take_keys()
    startups = Startups()

    def build_protocol(self: Any, addr: Any) -> Any:
        offer, ssh = current_offer(decoy), decoy.persona.ssh
        if offer is None or ssh is None:
            return None
        if startups.turns_away():
            return turned_away()
        made = OpensshTransport()
        made.factory, made.offer, made.startups, made.seed = self, offer, startups, decoy.persona.seed
        made.ourVersionString, made.decoy = ssh.banner.encode("ascii"), decoy
        startups.enter(made)
        return made

    factory.CowrieSSHFactory.buildProtocol = build_protocol


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
