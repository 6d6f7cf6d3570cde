"""The accounts and groups that a distribution makes by itself, with the persona's people among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .kind import small

if TYPE_CHECKING:
    from ..persona import Persona

Account = tuple[str, int, int, str, str, str]
DEBIAN_ACCOUNTS: tuple[Account, ...] = (
    ("root", 0, 0, "root", "/root", "/bin/bash"),
    ("daemon", 1, 1, "daemon", "/usr/sbin", "/usr/sbin/nologin"),
    ("bin", 2, 2, "bin", "/bin", "/usr/sbin/nologin"),
    ("sys", 3, 3, "sys", "/dev", "/usr/sbin/nologin"),
    ("sync", 4, 65534, "sync", "/bin", "/bin/sync"),
    ("games", 5, 60, "games", "/usr/games", "/usr/sbin/nologin"),
    ("man", 6, 12, "man", "/var/cache/man", "/usr/sbin/nologin"),
    ("lp", 7, 7, "lp", "/var/spool/lpd", "/usr/sbin/nologin"),
    ("mail", 8, 8, "mail", "/var/mail", "/usr/sbin/nologin"),
    ("news", 9, 9, "news", "/var/spool/news", "/usr/sbin/nologin"),
    ("uucp", 10, 10, "uucp", "/var/spool/uucp", "/usr/sbin/nologin"),
    ("proxy", 13, 13, "proxy", "/bin", "/usr/sbin/nologin"),
    ("www-data", 33, 33, "www-data", "/var/www", "/usr/sbin/nologin"),
    ("backup", 34, 34, "backup", "/var/backups", "/usr/sbin/nologin"),
    ("list", 38, 38, "Mailing List Manager", "/var/list", "/usr/sbin/nologin"),
    ("irc", 39, 39, "ircd", "/run/ircd", "/usr/sbin/nologin"),
    ("_apt", 42, 65534, "", "/nonexistent", "/usr/sbin/nologin"),
    ("nobody", 65534, 65534, "nobody", "/nonexistent", "/usr/sbin/nologin"),
)
#: What packages of nearly every server add.
ADDED: tuple[Account, ...] = (
    ("messagebus", 100, 107, "", "/nonexistent", "/usr/sbin/nologin"),
    ("sshd", 101, 65534, "", "/run/sshd", "/usr/sbin/nologin"),
)
OTHER_ACCOUNTS: tuple[Account, ...] = (
    ("bin", 1, 1, "bin", "/bin", "/sbin/nologin"),
    ("daemon", 2, 2, "daemon", "/sbin", "/sbin/nologin"),
    ("nobody", 65534, 65534, "nobody", "/", "/sbin/nologin"),
    ("sshd", 74, 74, "Privilege-separated SSH", "/var/empty/sshd", "/sbin/nologin"),
)
DEBIAN_LIKE = ("debian", "ubuntu", "raspbian", "linuxmint", "devuan", "kali")
DEBIAN_GROUPS = {
    **{"root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "disk": 6, "lp": 7, "mail": 8, "news": 9, "uucp": 10},
    **{"man": 12, "proxy": 13, "kmem": 15, "dialout": 20, "fax": 21, "voice": 22, "cdrom": 24, "floppy": 25, "tape": 26},
    **{"sudo": 27, "audio": 29, "dip": 30, "www-data": 33, "backup": 34, "operator": 37, "list": 38, "irc": 39, "src": 40},
    **{"shadow": 42, "utmp": 43, "video": 44, "sasl": 45, "plugdev": 46, "staff": 50, "games": 60, "users": 100},
    "nogroup": 65534,
}
OTHER_GROUPS = {"root": 0, "daemon": 1, "adm": 4, "tty": 5, "disk": 6, "wheel": 10, "users": 100}
#: Groups that packages make beside those of their accounts.
PACKAGE_GROUPS = {"cron": ("crontab", 101), "openssh-client": ("_ssh", 103), "samba": ("sambashare", 999)}


def accounts(persona: Persona) -> list[Account]:
    """In the order of /etc/passwd: the distribution's own, what packages added, then people."""
    debian = persona.os.id in DEBIAN_LIKE
    given = {user.name: (user.name, user.uid, user.gid, user.gecos, user.home, user.shell) for user in persona.users}
    base: tuple[Account, ...] = DEBIAN_ACCOUNTS if debian else () if small(persona) else OTHER_ACCOUNTS
    order = {account[0]: number for number, account in enumerate(base)}
    known = dict(given)
    for account in base:
        known.setdefault(account[0], account)
    # A persona that names accounts of its packages names all of them.
    if debian and not any(100 <= uid < 1000 for _, uid, *_ in given.values()):
        for account in ADDED:
            known.setdefault(account[0], account)
    spare = max([109, *(uid for _, uid, *_ in known.values() if uid < 900)]) + 1
    for process in persona.processes:
        owner = process.user.rstrip("+")
        if owner and not any(name.startswith(owner) for name in known):
            known[owner] = (owner, spare, spare, "", "/nonexistent", "/usr/sbin/nologin")
            spare += 1
    return sorted(known.values(), key=lambda account: place(account, order, debian))


def place(account: Account, order: dict[str, int], debian: bool) -> tuple[int, int, str]:
    name, uid = account[0], account[1]
    if name == "root":
        return (0, 0, name)
    if debian and name in order:
        return (1, order[name], name)
    return (2 if uid < 1000 else 3, uid, name)


def passwd(persona: Persona) -> str:
    rows = [(name, "x", uid, gid, gecos, home, shell) for name, uid, gid, gecos, home, shell in accounts(persona)]
    return "".join(":".join(field(part) for part in row) + "\n" for row in rows)


def group(persona: Persona) -> str:
    debian = persona.os.id in DEBIAN_LIKE
    groups = dict(DEBIAN_GROUPS if debian else {"root": 0} if small(persona) else OTHER_GROUPS)
    taken = set(groups.values())
    for name, _, gid, *_ in accounts(persona):
        if gid not in taken:
            groups["nogroup" if gid == 65534 else field(name)] = gid
            taken.add(gid)
    names = {package.name for package in persona.packages}
    for package, (name, gid) in PACKAGE_GROUPS.items():
        if debian and package in names and gid not in taken:
            groups[name] = gid
    order = {name: number for number, name in enumerate(groups)}

    def rank(item: tuple[str, int]) -> tuple[int, int]:
        name, gid = item
        return (0, order[name]) if name in DEBIAN_GROUPS and debian else (1, gid)

    return "".join(f"{name}:x:{gid}:\n" for name, gid in sorted(groups.items(), key=rank))


def field(value: object) -> str:
    """These files are read as ASCII and split at colons; a persona's text must not break that."""
    return str(value).replace(":", " ").replace("\n", " ").encode("ascii", "replace").decode()
