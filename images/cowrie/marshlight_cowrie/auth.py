"""Who gets in: the persona's users with the persona's passwords, and as many tries a connection as its server gives."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from .signatures import expect, expect_attribute

if TYPE_CHECKING:
    from .decoy import Decoy


def install(decoy: Decoy) -> None:
    from cowrie.core import auth
    from cowrie.ssh.userauth import HoneyPotSSHUserAuthServer
    from twisted.conch.ssh import transport, userauth

    expect(auth.UserDB.checklogin, "(self, thelogin, thepasswd, src_ip)")
    expect(userauth.SSHUserAuthServer._ebBadAuth, "(self, reason)")
    expect_attribute(userauth.SSHUserAuthServer, "attemptsBeforeDisconnect")

    class PersonaUsers:
        def checklogin(self, thelogin: bytes, thepasswd: bytes, src_ip: str = "") -> bool:
            return opens(decoy, thelogin, thepasswd)

    bad = HoneyPotSSHUserAuthServer._ebBadAuth

    def bad_auth(self: Any, reason: Any) -> Any:
        tries = decoy.persona.ssh.max_auth_tries if decoy.persona.ssh else 1
        # OpenSSH hangs up at the last failed try (auth.c, auth_maxtries_exceeded); 'none' does not count.
        if self.method != b"none" and self.loginAttempts + 1 >= tries:
            self.transport.sendDisconnect(transport.DISCONNECT_PROTOCOL_ERROR, b"Too many authentication failures")
            return None
        return bad(self, reason)

    auth.PersonaUsers = PersonaUsers
    HoneyPotSSHUserAuthServer.attemptsBeforeDisconnect = 1 << 30
    HoneyPotSSHUserAuthServer._ebBadAuth = bad_auth


def opens(decoy: Decoy, name: bytes, password: bytes) -> bool:
    for user in decoy.persona.users:
        if user.name.encode() == name:
            return any(hmac.compare_digest(known.encode(), password) for known in user.passwords)
    return False
