"""
Authentication as OpenSSH does it: one try at a time, each in its own time, `max_auth_tries` of them, one user a
connection. What is tried goes to Cowrie's checkers, which report it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cowrie.ssh.userauth import HoneyPotSSHUserAuthServer

from ..login import entry
from . import messages, pace, public_key
from .wire import names, read_flag, read_string, read_strings, string

if TYPE_CHECKING:
    from ..decoy import Decoy

METHODS = [b"publickey", b"password"]
MOST_TRIES = 1024


class OpensshUserAuth(HoneyPotSSHUserAuthServer):
    decoy: Decoy
    # Conch's own; ours is drawn.
    passwordDelay = 0

    def serviceStarted(self) -> None:
        super().serviceStarted()
        self.supportedAuthentications = METHODS
        self.attempts = self.failures = 0
        self.asked: tuple[bytes, bytes] | None = None

    def packetReceived(self, messageNum: int, packet: bytes) -> None:
        if messageNum == messages.USERAUTH_REQUEST:
            self.ssh_USERAUTH_REQUEST(packet)
        else:
            self.transport.sendUnimplemented()

    def ssh_USERAUTH_REQUEST(self, packet: bytes) -> None:
        (user, service, method), rest = read_strings(packet, 3)
        self.attempts += 1
        if self.attempts > MOST_TRIES:
            self.transport.disconnect("too many failed userauth_requests")
            return
        if self.asked is None:
            self.asked = (user, service)
        elif self.asked != (user, service):
            before, now = [",".join(part.decode("utf-8", "replace") for part in one) for one in (self.asked, (user, service))]
            self.transport.disconnect(f"Change of username or service not allowed: ({before}) -> ({now})")
            return
        self.user, self.nextService, self.method = user, service, method
        self.decoy.visits.asked(self.transport.visit, user.decode("utf-8", "replace"))
        self.began = time.monotonic()
        self.sendBanner()
        self.transport.held = True
        answer = self.tryAuth(method, user, rest)
        answer.addCallbacks(self.passed, self.failed, callbackArgs=(), errbackArgs=(self.wait_of(method, rest),))
        answer.addErrback(self.broken)

    def sendBanner(self) -> None:
        """The persona's `issue`, where its server shows one before the log-in."""
        issue = self.decoy.persona.issue
        if not self.bannerSent and issue:
            self.transport.sendPacket(messages.USERAUTH_BANNER, string(issue.encode()) + string(b""))
        self.bannerSent = True

    def tryAuth(self, kind: bytes, user: bytes, data: bytes) -> Any:
        from twisted.conch.error import ConchError
        from twisted.internet import defer

        if kind == b"password":
            _, rest = read_flag(data)
            password, _ = read_string(rest)
            if not password or len(password) > pace.LONGEST_PASSWORD:
                self.report_refused(user, password)
                return defer.fail(ConchError("refused before any check"))
            if not self.takes_passwords(user):
                self.report_refused(user, password)
                return defer.fail(ConchError("no passwords for this account"))
            return self.auth_password(b"\0" + string(password))
        if kind in public_key.METHODS:
            return public_key.attempt(self, kind, user, data)
        return defer.fail(ConchError("no such method"))

    def takes_passwords(self, user: bytes) -> bool:
        source, decoy = self.transport.transport.getPeer().host, self.decoy
        return entry.password_is_asked(decoy.trees, decoy.persona, source, user.decode("utf-8", "replace"))

    def refused_because(self, why: str) -> None:
        """What sshd's log says of it, where it says anything."""
        if why:
            self.decoy.visits.tell(self.transport.visit, iter([(0.0, 0, why)]))

    def report_refused(self, user: bytes, password: bytes) -> None:
        from cowrie.core.utils import escape_nonprintable

        self.transport.dispatch_event(
            "cowrie.login.failed",
            "login attempt [%(username)s/%(password)s] failed",
            username=escape_nonprintable(user),
            password=escape_nonprintable(password[: pace.LONGEST_PASSWORD]),
        )

    def wait_of(self, method: bytes, data: bytes) -> float:
        if method != b"password":
            return 0.0
        return pace.after_wrong_password(read_string(data[1:])[0])

    def passed(self, result: Any) -> None:
        # OpenSSH serves the one connection protocol, whatever service the client named.
        self.nextService = b"ssh-connection"
        self.note_entry()
        self.transport.after(pace.before_success(self.decoy.persona.seed), self._cbFinishedAuth, result)

    def note_entry(self) -> None:
        decoy, wire, name = self.decoy, self.transport, (self.user or b"").decode("utf-8", "replace")
        key = decoy.trees.key_for(wire.visit.client.source, name, wire.entry.key)
        account = decoy.trees.account(key, name)
        if account is not None:
            decoy.visits.entered(wire.visit, key, account, f"{wire.entry.method} {wire.entry.fingerprint}".strip())

    def failed(self, reason: Any, seconds: float) -> None:
        if reason.check(public_key.Postponed):
            self.transport.after(0, self.transport.sendPacket, messages.USERAUTH_PK_OK, reason.value.answer)
            return
        if self.method == b"none":
            self.transport.after(0, self.answer_failure)
            return
        if seconds > 0:
            self.decoy.visits.refused(self.transport.visit)
        elapsed = time.monotonic() - self.began + seconds
        floor = pace.floor_of(self.decoy.persona.seed, self.user or b"")
        self.transport.after(seconds + pace.at_least(elapsed, floor), self.answer_failure)

    def answer_failure(self) -> None:
        # A first `none` only asks for the list.
        if self.method != b"none" or self.attempts > 1:
            self.failures += 1
        ssh = self.decoy.persona.ssh
        if ssh is not None and self.failures >= ssh.max_auth_tries:
            self.transport.visit.too_many = True
            self.transport.disconnect("Too many authentication failures")
            return
        self.transport.sendPacket(messages.USERAUTH_FAILURE, names(METHODS) + b"\0")

    def broken(self, reason: Any) -> None:
        self._log.failure("log-in failed for a reason of ours", failure=reason)
        self.transport.end()
