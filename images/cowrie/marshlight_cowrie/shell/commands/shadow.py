"""The passwords of the machine: rows of /etc/shadow and their hashes."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING

from ...machine import yescrypt
from ...tree.accounts import matches

if TYPE_CHECKING:
    from ..ports import Process

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def shadow_rows(p: Process) -> list[list[str]]:
    # Programs that ask for passwords are set-user-ID root.
    text = p.fs.as_account(0, (0,)).read("/etc/shadow").decode("utf-8", "surrogateescape")
    return [line.split(":") for line in text.splitlines() if line]


def write_shadow(p: Process, rows: list[list[str]]) -> None:
    p.fs.as_account(0, (0,)).write("/etc/shadow", "".join(":".join(row) + "\n" for row in rows).encode("utf-8", "surrogateescape"), mode=0o640)


def set_secret(p: Process, name: str, password: str) -> None:
    """A real hash, as the system would write it: the next log-in is held against it."""
    raw = hashlib.shake_256(f"{p.host.now()} {name}".encode()).digest(16)
    salt = "".join(ALPHABET[byte & 63] for byte in raw)
    rows = shadow_rows(p)
    for row in rows:
        if row[0] == name:
            row[1], row[2] = hashed(password, salt), str(int(p.host.now() // 86400))
    write_shadow(p, rows)


def opens(p: Process, name: str, password: str) -> bool:
    """Whether it is the account's: by the hash that an attacker set, by the persona's word where nobody did."""
    try:
        stored = next((row[1] for row in shadow_rows(p) if row[0] == name), None)
    except OSError:
        stored = None
    if stored is not None and stored != yescrypt(p.host.persona, name):
        return matches(stored, password.encode("utf-8", "surrogateescape"))
    return any(password in user.passwords for user in p.host.persona.users if user.name == name)


def hashed(password: str, salt: str) -> str:
    with warnings.catch_warnings():
        # The module goes with Python 3.13, and the image has 3.11.
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt
    for setting in (f"$y$j9T${salt}$", f"$6${salt}$"):
        try:
            made = crypt.crypt(password.replace("\0", "")[:512], setting)
        except OSError:
            continue
        if made:
            return made
    return "!"
