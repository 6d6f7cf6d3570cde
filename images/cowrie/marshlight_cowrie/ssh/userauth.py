"""
Log-ins, one try at a time, each in its own time. What is tried goes to Cowrie's checkers, which report it; what a try
costs and how it is told is the software's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cowrie.ssh.userauth import HoneyPotSSHUserAuthServer

from ..drift import logins
from ..login import entry
from . import messages, public_key, reports
from .wire import names, read_flag, read_string, string

if TYPE_CHECKING:
    from ..decoy import Decoy

METHODS = [b"publickey", b"password"]
LONGEST_REPORTED = 1024


class ServerUserAuth(HoneyPotSSHUserAuthServer):
    decoy: Decoy
    # Conch's own; ours is drawn.
    passwordDelay = 0
    banner_language = b""
    #: Of the key methods, and of the signatures of RSA keys, those that are taken.
    key_methods: tuple[bytes, ...] = (b"publickey",)

    def rsa_signatures(self) -> tuple[bytes, ...]:
        raise NotImplementedError

    def serviceStarted(self) -> None:
        super().serviceStarted()
        self.supportedAuthentications = METHODS
        self.attempts = self.failures = 0

    def packetReceived(self, messageNum: int, packet: bytes) -> None:
        if messageNum == messages.USERAUTH_REQUEST:
            self.ssh_USERAUTH_REQUEST(packet)
        else:
            self.transport.sendUnimplemented()

    def sendBanner(self) -> None:
        """The persona's `issue`, where its server shows one before the log-in."""
        issue = self.decoy.persona.issue
        if not self.bannerSent and issue:
            self.transport.sendPacket(messages.USERAUTH_BANNER, string(issue.encode()) + string(self.banner_language))
        self.bannerSent = True

    def attempt(self, user: bytes, service: bytes, method: bytes, rest: bytes) -> None:
        """Asks Cowrie's checkers; `passed` or `failed` answers. Until then the connection is held."""
        self.user, self.nextService, self.method = user, service, method
        self.decoy.visits.asked(self.transport.visit, user.decode("utf-8", "replace"))
        self.began = time.monotonic()
        self.transport.held = True
        answer = logins.of_ssh(self, self.tryAuth(method, user, rest), method)
        answer.addCallbacks(self.passed, self.not_passed, errbackArgs=(rest,))
        answer.addErrback(self.broken)

    def tryAuth(self, kind: bytes, user: bytes, data: bytes) -> Any:
        from twisted.conch.error import ConchError
        from twisted.internet import defer

        if kind == b"password":
            changes, rest = read_flag(data)
            password, _ = read_string(rest)
            if not self.is_checked(changes, password):
                self.report_refused(user, password)
                return defer.fail(ConchError("refused before any check"))
            if not self.takes_passwords(user):
                self.report_refused(user, password)
                return defer.fail(ConchError("no passwords for this account"))
            # Cowrie answers None to a password that is a single NUL.
            return self.auth_password(b"\0" + string(password)) or defer.fail(ConchError("no password"))
        if kind in self.key_methods:
            return public_key.attempt(self, kind, user, data)
        return defer.fail(ConchError("no such method"))

    def is_checked(self, changes: bool, password: bytes) -> bool:
        """Whether a password comes so far that somebody compares it."""
        raise NotImplementedError

    def takes_passwords(self, user: bytes) -> bool:
        source, decoy = self.transport.transport.getPeer().host, self.decoy
        return entry.password_is_asked(decoy.trees, decoy.persona, source, user.decode("utf-8", "replace"))

    def refused_because(self, why: str) -> None:
        """What the server's log says of it, where it says anything."""
        if why:
            self.decoy.visits.tell(self.transport.visit, iter([(0.0, 0, why)]))

    def passed(self, result: Any) -> None:
        # Servers serve the one connection protocol, whatever service the client named.
        self.nextService = b"ssh-connection"
        self.note_entry()
        self.transport.after(self.before_success(), self._cbFinishedAuth, result)

    def note_entry(self) -> None:
        decoy, wire, name = self.decoy, self.transport, (self.user or b"").decode("utf-8", "replace")
        key = decoy.trees.key_for(wire.visit.client.source, name, wire.entry.key)
        account = decoy.trees.account(key, name)
        if account is not None:
            decoy.visits.entered(wire.visit, key, account, f"{wire.entry.method} {wire.entry.fingerprint}".strip())

    def before_success(self) -> float:
        raise NotImplementedError

    def not_passed(self, reason: Any, data: bytes) -> None:
        if reason.check(public_key.Postponed):
            self.transport.after(0, self.transport.sendPacket, messages.USERAUTH_PK_OK, reason.value.answer)
        else:
            self.failed(data)

    def failed(self, data: bytes) -> None:
        """`data`: what came behind the method's name."""
        raise NotImplementedError

    def report_refused(self, user: bytes, password: bytes) -> None:
        from cowrie.core.utils import escape_nonprintable

        reports.event(
            self.transport,
            "cowrie.login.failed",
            "login attempt [%(username)s/%(password)s] failed",
            username=escape_nonprintable(user),
            password=escape_nonprintable(password[:LONGEST_REPORTED]),
        )

    @property
    def most_tries(self) -> int:
        ssh = self.decoy.persona.ssh
        return ssh.max_auth_tries if ssh is not None else 1

    def give_up(self, why: str) -> None:
        self.transport.visit.too_many = True
        self.transport.disconnect(why)

    def send_failure(self) -> None:
        self.transport.sendPacket(messages.USERAUTH_FAILURE, names(METHODS) + b"\0")

    def broken(self, reason: Any) -> None:
        self._log.failure("log-in failed for a reason of ours", failure=reason)
        self.transport.end()
