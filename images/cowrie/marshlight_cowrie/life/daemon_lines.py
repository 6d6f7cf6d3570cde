"""What sshd, login(1) and PAM write about a client, in their words: pure, from who he is and what he did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

#: Seconds after the moment, process (0: the daemon's for this client, 1: its child, -1: logind), text.
Words = Iterator[tuple[float, int, str]]
OPENED = "session opened for user {user}(uid={uid}) by "


@dataclass
class Client:
    """`kind`: sshd, dropbear or login."""

    kind: str
    source: str
    port: int
    user: str = ""
    uid: int | None = None
    tty: str = ""
    failures: int = 0
    #: PAM as Debian 12 sets it up tells that it does.
    reads_environment: bool = False

    @property
    def end(self) -> str:
        return f"{self.source} port {self.port}"

    @property
    def named(self) -> str:
        """As sshd names one who is not in yet."""
        return f"authenticating user {self.user} {self.end}" if self.uid is not None else f"invalid user {self.user} {self.end}"


def asked(client: Client) -> Words:
    """A name was given."""
    if client.kind == "sshd" and client.uid is None:
        yield 0, 0, f"Invalid user {client.user} from {client.end}"


def refused(client: Client) -> Words:
    """A password did not open; `failures` counts this one."""
    who = f"  user={client.user}" if client.uid is not None else ""
    if client.kind == "dropbear":
        known = "Bad password attempt for" if client.uid is not None else "Login attempt for nonexistent user"
        yield 0, 0, f"{known} '{client.user}' from {client.source}:{client.port}" if client.uid is not None else f"{known} from {client.source}:{client.port}"
        return
    if client.uid is None:
        yield 0, 0, f"pam_unix({client.kind}:auth): check pass; user unknown"
    # PAM counts the later ones and tells their number at the end.
    if client.failures == 1:
        yield 0, 0, f"pam_unix({client.kind}:auth): authentication failure; {pam(client)}{who or ' '}".rstrip() + ("" if who else " ")
    if client.kind == "sshd":
        invalid = "" if client.uid is not None else "invalid user "
        yield 2, 0, f"Failed password for {invalid}{client.user} from {client.end} ssh2"
    else:
        name = client.user if client.uid is not None else "UNKNOWN"
        yield 2, 0, f"FAILED LOGIN ({client.failures}) on '/dev/{client.tty}' from '{client.source}' FOR '{name}', Authentication failure"


def pam(client: Client) -> str:
    if client.kind == "login":
        return f"logname=LOGIN uid=0 euid=0 tty=/dev/{client.tty} ruser= rhost={client.source}"
    return f"logname= uid=0 euid=0 tty=ssh ruser= rhost={client.source}"


def given_up(client: Client, *, too_many: bool, polite: str | None, said: str | None = None) -> Words:
    """
    The connection ended before a log-in. `polite`: the client's farewell, with its number. `said`: what stood in the place
    of its first line, empty where it said none; None where it was an SSH client.
    """
    if client.kind == "dropbear":
        yield 0, 0, f"Exit before auth from <{client.source}:{client.port}>: Exited normally"
        return
    if client.kind == "sshd":
        if said is not None:
            wrong = f'client sent invalid protocol identifier "{said}"' if said else "Connection closed by remote host"
            yield 0, 0, f"error: kex_exchange_identification: {wrong}"
            yield 0, 0, f"banner exchange: Connection from {client.end}: invalid format" if said else f"Connection closed by {client.end}"
        elif too_many:
            invalid = "" if client.uid is not None else "invalid user "
            yield 0, 0, f"error: maximum authentication attempts exceeded for {invalid}{client.user} from {client.end} ssh2 [preauth]"
            yield 0, 0, f"Disconnecting {client.named}: Too many authentication failures [preauth]"
        elif polite is not None:
            yield 0, 0, f"Received disconnect from {client.end}:{polite} [preauth]"
            yield 0, 0, f"Disconnected from {client.named if client.user else client.end} [preauth]"
        else:
            yield 0, 0, f"Connection closed by {client.named if client.user else client.end} [preauth]"
    if client.failures > 1:
        more = client.failures - 1
        who = f"  user={client.user}" if client.uid is not None else " "
        yield 0, 0, f"PAM {more} more authentication failure{'s' if more > 1 else ''}; {pam(client)}{who}"
        if client.failures > 3:
            yield 0, 0, f"PAM service({client.kind}) ignoring max retries; {client.failures} > 3"


def let_in(client: Client, way: str, number: int) -> Words:
    """`way`: `password`, or `publickey` with the key behind it; `number`: of the session, as logind counts."""
    opened = OPENED.format(user=client.user, uid=client.uid)
    method, _, key = way.partition(" ")
    if client.kind == "dropbear":
        how = "Pubkey auth succeeded for" if key else "Password auth succeeded for"
        yield 0, 0, f"{how} '{client.user}' from {client.source}:{client.port}"
        return
    if client.kind == "sshd":
        yield 0, 0, f"Accepted {method} for {client.user} from {client.end} ssh2{f': {key}' if key else ''}"
        yield 0.003, 0, f"pam_unix(sshd:session): {opened}(uid=0)"
        if client.reads_environment:
            yield 0.03, 0, "pam_env(sshd:session): deprecated reading of user environment enabled"
    else:
        yield 0, 0, f"pam_unix(login:session): {opened}LOGIN(uid=0)"
    yield 0.02, -1, f"New session {number} of user {client.user}."
    if client.kind == "login":
        who = "ROOT LOGIN " if client.uid == 0 else f"LOGIN ON {client.tty} BY {client.user} FROM {client.source}"
        yield 0.03, 0, f"{who} on '/dev/{client.tty}' from '{client.source}'" if client.uid == 0 else who


def left(client: Client, number: int, *, polite: str | None) -> Words:
    if client.kind == "dropbear":
        yield 0, 0, f"Exit ({client.user}) from <{client.source}:{client.port}>: Disconnect received"
        return
    if client.kind == "sshd" and polite is not None:
        child = 0 if client.uid == 0 else 1
        yield 0, child, f"Received disconnect from {client.end}:{polite}"
        yield 0, child, f"Disconnected from user {client.user} {client.end}"
    yield 0.002, 0, f"pam_unix({client.kind}:session): session closed for user {client.user}"
    yield 0.012, -1, f"Session {number} logged out. Waiting for processes to exit."
    yield 0.02, -1, f"Removed session {number}."
