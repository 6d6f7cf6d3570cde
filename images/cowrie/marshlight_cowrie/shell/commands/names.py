"""Accounts and groups, as /etc/passwd and /etc/group tell them: what a command changes there, the next one sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ports import FileSystem


@dataclass
class User:
    name: str
    secret: str
    uid: int
    gid: int
    gecos: str
    home: str
    shell: str

    def line(self) -> str:
        return ":".join([self.name, self.secret, str(self.uid), str(self.gid), self.gecos, self.home, self.shell])


@dataclass
class Group:
    name: str
    secret: str
    gid: int
    members: list[str]

    def line(self) -> str:
        return ":".join([self.name, self.secret, str(self.gid), ",".join(self.members)])


def rows(fs: FileSystem, path: str, fields: int) -> list[list[str]]:
    try:
        text = fs.read(path).decode("utf-8", "surrogateescape")
    except OSError:
        return []
    split = [line.split(":") for line in text.splitlines()]
    return [row for row in split if len(row) >= fields]


def users(fs: FileSystem) -> list[User]:
    found = []
    for name, secret, uid, gid, gecos, home, shell in (row[:7] for row in rows(fs, "/etc/passwd", 7)):
        if uid.isdigit() and gid.isdigit():
            found.append(User(name, secret, int(uid), int(gid), gecos, home, shell))
    return found


def groups(fs: FileSystem) -> list[Group]:
    return [
        Group(name, secret, int(gid), [member for member in members.split(",") if member])
        for name, secret, gid, members in (row[:4] for row in rows(fs, "/etc/group", 4))
        if gid.isdigit()
    ]


def user(fs: FileSystem, who: str) -> User | None:
    """By name, or by number where it is one."""
    return next((u for u in users(fs) if u.name == who), None) or next(
        (u for u in users(fs) if who.isdigit() and u.uid == int(who)), None
    )


def group(fs: FileSystem, which: str) -> Group | None:
    return next((g for g in groups(fs) if g.name == which), None) or next(
        (g for g in groups(fs) if which.isdigit() and g.gid == int(which)), None
    )


def user_name(fs: FileSystem, uid: int) -> str:
    return next((u.name for u in users(fs) if u.uid == uid), str(uid))


def group_name(fs: FileSystem, gid: int) -> str:
    return next((g.name for g in groups(fs) if g.gid == gid), str(gid))


def gids_of(fs: FileSystem, account: User) -> list[int]:
    """The own group first, then those it is a member of, as initgroups(3) finds them."""
    more = [g.gid for g in groups(fs) if account.name in g.members and g.gid != account.gid]
    return [account.gid, *more]


def write_users(fs: FileSystem, all_users: list[User]) -> None:
    fs.write("/etc/passwd", "".join(f"{u.line()}\n" for u in all_users).encode("utf-8", "surrogateescape"))


def write_groups(fs: FileSystem, all_groups: list[Group]) -> None:
    fs.write("/etc/group", "".join(f"{g.line()}\n" for g in all_groups).encode("utf-8", "surrogateescape"))
