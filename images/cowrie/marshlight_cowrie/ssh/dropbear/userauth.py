"""
Log-ins as Dropbear takes them: questions for the methods and public keys cost nothing, all else counts and takes its
300 ms. The last failure is not told any more.
"""

from __future__ import annotations

import time

from ..userauth import ServerUserAuth
from ..wire import read_flag, read_numbers, read_string
from . import pace
from .limits import LONGEST_PASSWORD, LONGEST_USER, read_text

SERVICE = b"ssh-connection"


class DropbearUserAuth(ServerUserAuth):
    banner_language = b"en"

    def serviceStarted(self) -> None:
        super().serviceStarted()
        self.asked: bytes | None = None

    def ssh_USERAUTH_REQUEST(self, packet: bytes) -> None:
        self.sendBanner()
        user, rest = read_text(packet)
        service, rest = read_text(rest)
        method, rest = read_text(rest)
        # Any name of that length will do.
        if len(service) != len(SERVICE) and not service.startswith(SERVICE):
            self.transport.disconnect("unknown service")
        elif not self.may_ask(user):
            self.transport.disconnect("no such user name, or another one than before")
        elif method == b"none":
            self.user, self.method = user, method
            self.send_failure()
        else:
            self.check_key(method, rest)
            self.attempt(user, service, method, rest)

    def may_ask(self, user: bytes) -> bool:
        if len(user) > LONGEST_USER:
            return True
        if self.asked is None:
            self.asked = user
        return b"\0" not in user and self.asked == user

    def check_key(self, method: bytes, data: bytes) -> None:
        """Raises Unreadable for a key that is cut off, before anybody looks whose it is."""
        if method == b"publickey":
            _, rest = read_text(read_flag(data)[1])
            read_numbers(rest, 1)
            read_string(rest)

    def is_checked(self, changes: bool, password: bytes) -> bool:
        return not changes and len(password) <= LONGEST_PASSWORD

    def rsa_signatures(self) -> tuple[bytes, ...]:
        return (b"rsa-sha2-256", b"ssh-rsa")

    def before_success(self) -> float:
        return pace.before_success(self.decoy.persona.seed)

    def failed(self, data: bytes) -> None:
        if self.method == b"publickey":
            self.transport.after(0, self.send_failure)
        else:
            if self.method == b"password":
                self.decoy.visits.refused(self.transport.visit)
            self.transport.after(pace.of_failure(time.monotonic() - self.began), self.count_failure)

    def count_failure(self) -> None:
        self.failures += 1
        if self.failures >= self.most_tries:
            self.give_up("too many tries")
        else:
            self.send_failure()
