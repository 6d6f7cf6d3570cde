"""Accounts as the attacker's own tree has them: what he made or changed there counts at his next log-in."""

from __future__ import annotations

import hmac
import warnings
from dataclasses import dataclass

from .store import Owner
from .view import View

LARGEST = 1 << 18
MOST_KEYS = 64


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str
    groups: tuple[int, ...]


def lines(view: View, path: str) -> list[list[str]]:
    try:
        text = view.read(path)[:LARGEST].decode("utf-8", "replace")
    except OSError:
        return []
    return [line.split(":") for line in text.splitlines() if line and not line.startswith("#")]


def account(root: View, name: str) -> Account | None:
    for row in lines(root, "/etc/passwd"):
        if len(row) == 7 and row[0] == name and row[2].isdigit() and row[3].isdigit():
            member = (group for group in lines(root, "/etc/group") if len(group) == 4 and name in group[3].split(","))
            groups = tuple(int(group[2]) for group in member if group[2].isdigit())
            return Account(name, int(row[2]), int(row[3]), row[5] or "/", row[6] or "/bin/sh", groups)
    return None


def password(own: View, host: View, name: str, given: bytes) -> bool | None:
    """Whether it opens the account; None where the attacker changed nothing about it."""
    mine, theirs = secret(own, name), secret(host, name)
    if mine == theirs and (account(own, name) is None) == (account(host, name) is None):
        return None
    return account(own, name) is not None and mine is not None and matches(mine, given)


def secret(root: View, name: str) -> str | None:
    """The second field of shadow(5), or that of passwd(5) where a hash stands in there."""
    shadow = next((row[1] for row in lines(root, "/etc/shadow") if len(row) > 1 and row[0] == name), None)
    inline = next((row[1] for row in lines(root, "/etc/passwd") if len(row) > 1 and row[0] == name), None)
    return inline if inline not in (None, "x", "*") else shadow


def matches(stored: str, given: bytes) -> bool:
    if stored == "":
        return True
    if stored[0] in "!*" or b"\0" in given:
        return False
    with warnings.catch_warnings():
        # crypt(3) of the system knows yescrypt; the module goes with Python 3.13, and the image has 3.11.
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt
    try:
        made = crypt.crypt(given.decode("utf-8", "surrogateescape"), stored)
    except (OSError, ValueError):
        return False
    return made is not None and hmac.compare_digest(made.encode(), stored.encode("utf-8", "replace"))


def owner(own: View, host: View) -> Owner:
    before = {row[0] for row in lines(host, "/etc/passwd")}
    rows = [row for row in lines(own, "/etc/passwd") if len(row) == 7]
    made = [row[0] for row in rows if row[0] not in before]
    keys: set[str] = set()
    for row in rows:
        path = f"{row[5].rstrip('/')}/.ssh/authorized_keys"
        try:
            mine = own.read(path)
        except OSError:
            continue
        try:
            theirs = host.read(path)
        except OSError:
            theirs = b""
        keys |= blobs(mine) - blobs(theirs)
    return Owner(made[:MOST_KEYS], sorted(keys)[:MOST_KEYS])


def blobs(text: bytes) -> set[str]:
    """The key itself of each line, as authorized_keys has it: base64 after the kind."""
    found = set()
    for line in text[:LARGEST].decode("ascii", "replace").splitlines():
        words = line.split()
        found |= {words[at + 1] for at in range(len(words) - 1) if words[at].startswith(("ssh-", "ecdsa-", "sk-"))}
    return found
