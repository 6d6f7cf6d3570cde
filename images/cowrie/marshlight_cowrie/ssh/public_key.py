"""
Authentication by public key (RFC 4252, 7), also bound to the host key as OpenSSH's clients do from 8.9 on.

    flag, algorithm, key [, host key] [, signature] -> login.entry -> PK_OK (no signature yet) | signature holds -> avatar
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.conch.error import ConchError
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh import keys
from twisted.cred.credentials import SSHPrivateKey
from twisted.internet import defer

from ..login import entry
from ..signatures import expect
from . import messages
from .wire import read_flag, read_string, read_strings, string

if TYPE_CHECKING:
    from ..login.entry import Entry
    from .userauth import ServerUserAuth

BOUND = b"publickey-hostbound-v00@openssh.com"
METHODS = (b"publickey", BOUND)


class Postponed(Exception):
    """The key would do; the client is asked to sign. No try was lost."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer


def install() -> None:
    from cowrie.core.checkers import HoneypotPublicKeyChecker as Checker

    expect(Checker.requestAvatarId, "(self, credentials)")
    refuse = Checker.requestAvatarId

    def request_avatar_id(self: Any, credentials: Any) -> Any:
        found: Entry | None = getattr(credentials, "marshlight_entry", None)
        if found is None:
            return refuse(self, credentials)
        told(credentials.events, "cowrie.login.success", "public key login attempt for [%(username)s] succeeded", credentials, found)
        return defer.succeed(credentials.username)

    Checker.requestAvatarId = request_avatar_id


def told(events: Any, name: str, text: str, credentials: Any, found: Entry) -> None:
    from cowrie.core.utils import escape_nonprintable

    if events is None:
        return
    key = keys.Key.fromString(credentials.blob)
    events.dispatch(
        name,
        text,
        username=escape_nonprintable(credentials.username),
        method=found.method,
        fingerprint=found.fingerprint.partition(" ")[2],
        key=key.toString("OPENSSH"),
        type=key.sshType(),
    )


def attempt(auth: ServerUserAuth, kind: bytes, user: bytes, data: bytes) -> Any:
    """A Deferred: the avatar, or a failure (Postponed where the client has to sign still)."""
    signed, rest = read_flag(data)
    (algorithm, blob), rest = read_strings(rest, 2)
    refused = b"\0" + string(algorithm) + string(blob)
    bound = b""
    if kind == BOUND:
        bound, rest = read_string(rest)
    try:
        key = keys.Key.fromString(blob)
    except (keys.BadKeyError, ValueError):
        return defer.fail(ConchError("a key that is none"))
    own = auth.transport.host_key(auth.transport.exchange_host_key).public().blob()
    found = opened_by(auth, user, blob) if is_taken(auth, algorithm, blob) and bound in (b"", own) else None
    if found is None or (kind == BOUND and not bound):
        return defer.maybeDeferred(auth.auth_publickey, refused)
    if not signed:
        credentials = SSHPrivateKey(user, algorithm, blob, None, None)
        told(auth.transport.events, "cowrie.client.fingerprint", "public key of %(username)s with fingerprint %(fingerprint)s is accepted, signature awaited", credentials, found)
        return defer.fail(Postponed(string(algorithm) + string(blob)))
    signature, _ = read_string(rest)
    over = string(auth.transport.session or b"") + bytes((messages.USERAUTH_REQUEST,))
    over += string(user) + string(auth.nextService) + string(kind) + b"\1" + string(algorithm) + string(blob)
    over += string(bound) if kind == BOUND else b""
    if not holds(key, algorithm, signature, over):
        return defer.maybeDeferred(auth.auth_publickey, refused)
    credentials = SSHPrivateKey(user, algorithm, blob, over, signature)
    credentials.marshlight_entry, credentials.events = found, auth.transport.events
    auth.transport.entry = found
    return auth.portal.login(credentials, None, IConchUser)


def opened_by(auth: ServerUserAuth, user: bytes, blob: bytes) -> Entry | None:
    decoy = auth.decoy
    source = auth.transport.transport.getPeer().host
    try:
        return entry.by_key(decoy.trees, decoy.persona, source, user.decode("utf-8", "replace"), blob)
    except entry.Refusal as refusal:
        auth.refused_because(str(refusal))
    except OSError:
        pass
    return None


def is_taken(auth: ServerUserAuth, algorithm: bytes, blob: bytes) -> bool:
    kind, _ = read_string(blob)
    return algorithm in auth.rsa_signatures() if kind == b"ssh-rsa" else algorithm == kind


def holds(key: Any, algorithm: bytes, signature: bytes, over: bytes) -> bool:
    try:
        return read_string(signature)[0] == algorithm and bool(key.verify(signature, over))
    except Exception:  # whatever the libraries make of an attacker's bytes, they are no signature
        return False
