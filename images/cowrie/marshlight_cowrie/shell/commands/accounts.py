"""Changing accounts: useradd adduser usermod userdel groupadd."""

from __future__ import annotations

import re
import stat as modes
from typing import TYPE_CHECKING

from .names import Group, User, group, groups, user, users, write_groups, write_users
from .options import Usage, parse
from .said import note
from .shadow import shadow_rows, write_shadow

if TYPE_CHECKING:
    from ..ports import Process


def must_be_root(p: Process) -> None:
    if p.account.uid:
        name = p.args[0].rsplit("/", 1)[-1]
        raise Usage(f"{name}: Permission denied.\n{name}: cannot lock /etc/passwd; try again later.\n")


async def useradd(p: Process) -> int:
    options = parse(
        p,
        "b:c:d:De:f:g:G:k:lmMNorp:s:u:U",
        "base-dir=:b comment=:c home-dir=:d gid=:g groups=:G create-home:m no-create-home:M no-user-group:N non-unique:o password=:p "
        "shell=:s system:r uid=:u user-group:U expiredate=:e inactive=:f skel=:k badname defaults:D",
        status=2,
    )
    if not options.operands:
        raise Usage("Usage: useradd [options] LOGIN\n       useradd -D\n       useradd -D [options]\n", 2)
    must_be_root(p)
    name = options.operands[0]
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*\$?", name) and "badname" not in options:
        raise Usage(f"useradd: invalid user name '{name}': use --badname to ignore\n", 3)
    everybody, all_groups = users(p.fs), groups(p.fs)
    if any(u.name == name for u in everybody):
        raise Usage(f"useradd: user '{name}' already exists\n", 9)
    low = 100 if "r" in options else 1000
    taken = {u.uid for u in everybody}
    uid = int(options.text("u")) if options.text("u").isdigit() else max([u for u in taken if low <= u < 60000], default=low - 1) + 1
    if uid in taken and "o" not in options:
        raise Usage(f"useradd: UID {uid} is not unique\n", 4)
    if "g" in options:
        own = group(p.fs, options.text("g"))
        if own is None:
            raise Usage(f"useradd: group '{options.text('g')}' does not exist\n", 6)
        gid = own.gid
    else:
        if any(g.name == name for g in all_groups):
            raise Usage(f"useradd: group {name} exists - if you want to add this user to that group, use -g.\n", 9)
        gid = uid if all(g.gid != uid for g in all_groups) else max(g.gid for g in all_groups if g.gid < 60000) + 1
        all_groups.append(Group(name, "x", gid, []))
    for extra in filter(None, options.text("G").split(",")):
        found = next((g for g in all_groups if g.name == extra), None)
        if found is None:
            raise Usage(f"useradd: group '{extra}' does not exist\n", 6)
        found.members.append(name)
    home = options.text("d") or f"{options.text('b', '/home')}/{name}"
    shell = options.text("s", "/bin/sh")
    everybody.append(User(name, "x", uid, gid, options.text("c"), home, shell))
    write_users(p.fs, everybody)
    write_groups(p.fs, all_groups)
    write_shadow(p, [*shadow_rows(p), [name, options.text("p", "!"), str(int(p.host.now() // 86400)), "0", "99999", "7", "", "", ""]])
    if gid == uid and "g" not in options:
        note(p, "auth", f"new group: name={name}, GID={gid}")
    note(p, "auth", f"new user: name={name}, UID={uid}, GID={gid}, home={home}, shell={shell}, from={p.tty or 'none'}")
    for extra in filter(None, options.text("G").split(",")):
        note(p, "auth", f"add '{name}' to group '{extra}'")
        note(p, "auth", f"add '{name}' to shadow group '{extra}'")
    if "m" in options:
        make_home(p, home, uid, gid)
    return 0


def make_home(p: Process, home: str, uid: int, gid: int) -> None:
    try:
        p.fs.mkdir(home, 0o755)
        p.fs.chown(home, uid, gid)
        for name in p.fs.listdir("/etc/skel"):
            p.fs.write(f"{home}/{name}", p.fs.read(f"/etc/skel/{name}"), mode=0o644)
            p.fs.chown(f"{home}/{name}", uid, gid)
    except OSError:
        return


async def adduser(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if not names:
        raise Usage("Only one or two names allowed.\n")
    p.args = ["useradd", "-m", "-s", "/bin/bash", names[-1]]
    p.out(f"Adding user `{names[-1]}' ...\n")
    return await useradd(p)


async def usermod(p: Process) -> int:
    options = parse(
        p,
        "ac:d:e:f:g:G:l:Lmop:rs:u:U",
        "append:a comment=:c home=:d gid=:g groups=:G login=:l lock:L move-home:m password=:p shell=:s uid=:u unlock:U remove:r",
        status=2,
    )
    if not options.operands:
        raise Usage("Usage: usermod [options] LOGIN\n", 2)
    must_be_root(p)
    name = options.operands[0]
    everybody, all_groups = users(p.fs), groups(p.fs)
    account = next((u for u in everybody if u.name == name), None)
    if account is None:
        raise Usage(f"usermod: user '{name}' does not exist\n", 6)
    if "G" in options:
        wanted = [part for part in options.text("G").split(",") if part]
        for missing in (part for part in wanted if all(g.name != part for g in all_groups)):
            raise Usage(f"usermod: group '{missing}' does not exist\n", 6)
        for g in all_groups:
            if g.name in wanted and name not in g.members:
                g.members.append(name)
                for kind in ("group", "shadow group"):
                    note(p, "auth", f"add '{name}' to {kind} '{g.name}'")
            elif g.name not in wanted and "a" not in options and name in g.members:
                g.members.remove(name)
        write_groups(p.fs, all_groups)
    account.shell, account.home = options.text("s", account.shell), options.text("d", account.home)
    account.gecos, account.name = options.text("c", account.gecos), options.text("l", account.name)
    if options.text("u").isdigit():
        note(p, "auth", f"change user '{name}' UID from '{account.uid}' to '{options.text('u')}'")
        account.uid = int(options.text("u"))
    write_users(p.fs, everybody)
    if options.any("LUp"):
        rows = shadow_rows(p)
        for row in rows:
            if row[0] == name:
                row[1] = options.text("p") or ("!" + row[1] if "L" in options else row[1].lstrip("!"))
        write_shadow(p, rows)
        change = "lock" if "L" in options else "unlock" if "U" in options else "change"
        note(p, "auth", f"{change} user '{name}' password")
    return 0


async def userdel(p: Process) -> int:
    options = parse(p, "frR:P:Z", "force:f remove:r", status=2)
    if not options.operands:
        raise Usage("Usage: userdel [options] LOGIN\n", 2)
    must_be_root(p)
    name = options.operands[0]
    account = user(p.fs, name)
    if account is None:
        raise Usage(f"userdel: user '{name}' does not exist\n", 6)
    write_users(p.fs, [u for u in users(p.fs) if u.name != name])
    left = [g for g in groups(p.fs) if not (g.name == name and not [m for m in g.members if m != name])]
    for g in left:
        g.members = [member for member in g.members if member != name]
    write_groups(p.fs, left)
    write_shadow(p, [row for row in shadow_rows(p) if row[0] != name])
    note(p, "auth", f"delete user '{name}'")
    note(p, "auth", f"removed group '{name}' owned by '{name}'")
    note(p, "auth", f"removed shadow group '{name}' owned by '{name}'")
    if "r" in options:
        p.stderr.write(f"userdel: {name} mail spool (/var/mail/{name}) not found\n".encode())
        drop(p, account.home)
    return 0


def drop(p: Process, path: str) -> None:
    try:
        if modes.S_ISDIR(p.fs.stat(path, follow=False).mode):
            for name in p.fs.listdir(path):
                drop(p, f"{path}/{name}")
            p.fs.rmdir(path)
        else:
            p.fs.unlink(path)
    except OSError:
        return


async def groupadd(p: Process) -> int:
    options = parse(p, "fg:Kop:r", "force:f gid=:g system:r", status=2)
    must_be_root(p)
    if not options.operands:
        raise Usage("Usage: groupadd [options] GROUP\n", 2)
    all_groups, name = groups(p.fs), options.operands[0]
    if any(g.name == name for g in all_groups):
        raise Usage("" if "f" in options else f"groupadd: group '{name}' already exists\n", 0 if "f" in options else 9)
    gid = int(options.text("g") or max((g.gid for g in all_groups if 1000 <= g.gid < 60000), default=999) + 1)
    write_groups(p.fs, [*all_groups, Group(name, "x", gid, [])])
    note(p, "auth", f"group added to /etc/group: name={name}, GID={gid}")
    note(p, "auth", f"group added to /etc/gshadow: name={name}")
    note(p, "auth", f"new group: name={name}, GID={gid}")
    return 0


COMMANDS = {"useradd": useradd, "adduser": adduser, "usermod": usermod, "userdel": userdel, "deluser": userdel, "groupadd": groupadd}
