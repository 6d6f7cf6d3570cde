"""Log-ins as OpenSSH takes them: `max_auth_tries` of them, one user a connection, each failure as long as its floor."""

from __future__ import annotations

import time

from .. import public_key
from ..userauth import ServerUserAuth
from ..wire import read_c_string, read_string
from . import pace
from .release import release_of

MOST_REQUESTS = 1024
SHA_2 = (b"rsa-sha2-512", b"rsa-sha2-256")


class OpensshUserAuth(ServerUserAuth):
    key_methods = public_key.METHODS

    def serviceStarted(self) -> None:
        super().serviceStarted()
        self.asked: tuple[bytes, bytes] | None = None

    def ssh_USERAUTH_REQUEST(self, packet: bytes) -> None:
        user, rest = read_c_string(packet)
        service, rest = read_c_string(rest)
        method, rest = read_c_string(rest)
        if method == b"password":
            read_c_string(rest[1:])
        self.attempts += 1
        if self.attempts > MOST_REQUESTS:
            self.transport.disconnect("too many failed userauth_requests")
            return
        if self.asked is None:
            self.asked = (user, service)
        elif self.asked != (user, service):
            before, now = [
                ",".join(part.decode("utf-8", "replace") for part in one) for one in (self.asked, (user, service))
            ]
            self.transport.disconnect(f"Change of username or service not allowed: ({before}) -> ({now})")
            return
        self.sendBanner()
        self.attempt(user, service, method, rest)

    def is_checked(self, changes: bool, password: bytes) -> bool:
        return 0 < len(password) <= pace.LONGEST_PASSWORD

    def rsa_signatures(self) -> tuple[bytes, ...]:
        """PubkeyAcceptedAlgorithms: RSA with SHA-1 went with OpenSSH 8.8."""
        release = release_of(self.transport.ourVersionString.decode("ascii", "replace"))
        return SHA_2 if release is not None and release >= (8, 8) else (*SHA_2, b"ssh-rsa")

    def before_success(self) -> float:
        return pace.before_success(self.decoy.persona.seed)

    def failed(self, data: bytes) -> None:
        if self.method == b"none":
            self.transport.after(0, self.answer_failure)
            return
        seconds = pace.after_wrong_password(read_string(data[1:])[0]) if self.method == b"password" else 0.0
        if seconds > 0:
            self.decoy.visits.refused(self.transport.visit)
        elapsed = time.monotonic() - self.began + seconds
        floor = pace.floor_of(self.decoy.persona.seed, self.user or b"")
        self.transport.after(seconds + pace.at_least(elapsed, floor), self.answer_failure)

    def answer_failure(self) -> None:
        # A first `none` only asks for the list.
        if self.method != b"none" or self.attempts > 1:
            self.failures += 1
        if self.failures >= self.most_tries:
            self.give_up("Too many authentication failures")
            return
        self.send_failure()
