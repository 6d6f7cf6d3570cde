"""sshd_config(5) as far as it says who gets in: the first value of a keyword counts, `Match` by user and address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..tree.view import View
from .authorized_keys import fits

PATH = "/etc/ssh/sshd_config"
LARGEST, DEEPEST = 1 << 16, 4


@dataclass(frozen=True)
class Rules:
    root_login: str = "prohibit-password"
    password: bool = True
    public_key: bool = True
    strict_modes: bool = True
    empty_passwords: bool = False
    key_files: tuple[str, ...] = (".ssh/authorized_keys", ".ssh/authorized_keys2")
    allow_users: tuple[str, ...] = ()
    deny_users: tuple[str, ...] = ()
    last_login: bool = True


def rules(root: View, name: str, address: str) -> Rules:
    """For this account and address, as the tree has the file; the server's own where there is none."""
    said: dict[str, str] = {}
    read(root, PATH, name, address, said, 0)
    several = {key: tuple(said.get(key, "").split()) for key in ("allowusers", "denyusers")}
    files = tuple(said.get("authorizedkeysfile", "").split())
    root_login = said.get("permitrootlogin", "prohibit-password").lower()
    return Rules(
        root_login="prohibit-password" if root_login == "without-password" else root_login,
        password=said.get("passwordauthentication", "yes").lower() != "no",
        public_key=said.get("pubkeyauthentication", "yes").lower() != "no",
        strict_modes=said.get("strictmodes", "yes").lower() != "no",
        empty_passwords=said.get("permitemptypasswords", "no").lower() == "yes",
        key_files=() if files == ("none",) else files or Rules.key_files,
        allow_users=several["allowusers"],
        deny_users=several["denyusers"],
        last_login=said.get("printlastlog", "yes").lower() != "no",
    )


def read(root: View, path: str, name: str, address: str, said: dict[str, str], depth: int) -> None:
    applies = True
    for keyword, value in settings(root, path):
        if keyword == "match":
            applies = matches(value, name, address)
        elif applies and keyword == "include" and depth < DEEPEST:
            for found in included(root, value):
                read(root, found, name, address, said, depth + 1)
        elif applies and keyword in ("allowusers", "denyusers"):
            # These add up.
            said[keyword] = f"{said.get(keyword, '')} {value}"
        elif applies:
            said.setdefault(keyword, value)


def settings(root: View, path: str) -> list[tuple[str, str]]:
    try:
        text = root.read(path)[:LARGEST].decode("utf-8", "replace")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*([A-Za-z]\w*)(?:\s*=\s*|\s+)(.*?)\s*(?:#.*)?$", line)
        if match:
            found.append((match[1].lower(), match[2].replace('"', "")))
    return found


def included(root: View, value: str) -> list[str]:
    found = []
    for word in value.split():
        whole = word if word.startswith("/") else f"/etc/ssh/{word}"
        folder, _, pattern = whole.rpartition("/")
        try:
            found += [f"{folder}/{one}" for one in sorted(root.listdir(folder)) if fits(pattern, one)]
        except OSError:
            continue
    return found[:64]


def matches(value: str, name: str, address: str) -> bool:
    words = value.split()
    if words[:1] and words[0].lower() == "all":
        return True
    pairs = list(zip(words[::2], words[1::2], strict=False))
    known = {"user": name, "address": address, "host": address}
    return bool(pairs) and all(kind.lower() in known and listed(given, known[kind.lower()]) for kind, given in pairs)


def listed(patterns: str, text: str) -> bool:
    found = False
    for pattern in patterns.split(","):
        if fits(pattern.lstrip("!"), text):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def is_named(patterns: tuple[str, ...], name: str, address: str) -> bool:
    """Of AllowUsers and DenyUsers: USER or USER@ADDRESS."""
    for pattern in patterns:
        user, at, host = pattern.partition("@")
        if fits(user, name) and (not at or fits(host, address)):
            return True
    return False
