"""Who comes, as which attacker is he known, and what do that one's files say of him: asked before each try of a method."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..life.calendar import zone
from ..tree import accounts
from . import keys
from .authorized_keys import EVERYTHING, Allowance
from .keys import Refusal
from .sshd_config import PATH, Rules, rules

if TYPE_CHECKING:
    from ..persona import Persona
    from ..tree import Trees
    from ..tree.view import View

DROPBEAR_ROOT = "/etc/dropbear/authorized_keys"


@dataclass(frozen=True)
class Entry:
    """How somebody got in: what the events, the logs and the session's own limits go by."""

    method: str = "password"
    #: The key in base64, as authorized_keys has it.
    key: str = ""
    #: As sshd's log has it: `ED25519 SHA256:...`.
    fingerprint: str = ""
    allowed: Allowance = EVERYTHING


def by_key(trees: Trees, persona: Persona, source: str, name: str, blob: bytes) -> Entry:
    """Raises Refusal where the key opens nothing."""
    encoded = base64.b64encode(blob).decode()
    root = seen_by(trees, trees.key_for(source, name, encoded))
    account = accounts.account(root, name)
    if account is None:
        raise Refusal("")
    found = keys.allowance(
        root, account, rules_of(persona, root, name, source), blob, source, trees.clock(), zone(persona.timezone)
    )
    return Entry("publickey", encoded, fingerprint(blob), found)


def password_is_asked(trees: Trees, persona: Persona, source: str, name: str) -> bool:
    """
    Whether sshd takes passwords of this account. The persona's word holds until the attacker writes a configuration of his
    own: whom a persona lets in, its file must not keep out.
    """
    root = seen_by(trees, trees.key_for(source, name))
    if text(root) == text(trees.host_view()):
        return True
    said = rules_of(persona, root, name, source)
    account = accounts.account(root, name)
    return said.password and (account is None or account.uid != 0 or said.root_login == "yes")


def seen_by(trees: Trees, key: str) -> View:
    """As root sees it who has that key; the untouched host for whoever has left nothing."""
    known = key in trees.overlays or (trees.store is not None and key in trees.store.owners)
    return trees.view(key, 0, (0,)) if known else trees.host_view()


def rules_of(persona: Persona, root: View, name: str, source: str) -> Rules:
    if persona.ssh is not None and "dropbear" in persona.ssh.banner.lower():
        own = (".ssh/authorized_keys",)
        return Rules(root_login="yes", key_files=(DROPBEAR_ROOT, *own) if name == "root" else own)
    return rules(root, name, source)


def text(root: View) -> bytes:
    try:
        return root.read(PATH)
    except OSError:
        return b""


KINDS = {"ssh-rsa": "RSA", "ssh-ed25519": "ED25519"}


def fingerprint(blob: bytes) -> str:
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii", "replace")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"{KINDS.get(kind, 'ECDSA')} SHA256:{digest}"
