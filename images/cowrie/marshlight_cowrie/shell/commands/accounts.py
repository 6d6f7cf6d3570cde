"""Changing accounts and acting as another: passwd chpasswd chage useradd usermod userdel groupadd su sudo."""

from __future__ import annotations

import hashlib
import re
import stat as modes
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ..ports import Account
from .names import Group, User, gids_of, group, groups, user, users, write_groups, write_users
from .options import Usage, complain, parse
from .xargs import started

if TYPE_CHECKING:
    from ..ports import Process

SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def shadow_rows(p: Process) -> list[list[str]]:
    text = p.fs.read("/etc/shadow").decode("utf-8", "surrogateescape")
    return [line.split(":") for line in text.splitlines() if line]


def write_shadow(p: Process, rows: list[list[str]]) -> None:
    p.fs.write("/etc/shadow", "".join(":".join(row) + "\n" for row in rows).encode("utf-8", "surrogateescape"), mode=0o640)


def set_secret(p: Process, name: str, password: str) -> None:
    """A real hash, as the system would write it: the next log-in is held against it."""
    raw = hashlib.shake_256(f"{p.host.now()} {name}".encode()).digest(16)
    salt = "".join(ALPHABET[byte & 63] for byte in raw)
    rows = shadow_rows(p)
    for row in rows:
        if row[0] == name:
            row[1], row[2] = hashed(password, salt), str(int(p.host.now() // 86400))
    write_shadow(p, rows)
    p.notes.setdefault("passwords", {})[name] = password


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


async def asked(p: Process, prompt: str) -> str | None:
    p.stderr.write(prompt.encode())
    # A terminal can be told not to show what is typed.
    hide = getattr(p.stdin, "hide", lambda hidden: None)
    hide(True)
    try:
        line = await p.stdin.readline()
    finally:
        hide(False)
    if p.stdin.is_tty:
        p.stderr.write(b"\n")
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n") if line else None


async def passwd(p: Process) -> int:
    options = parse(p, "adehi:kln:qr:R:Suw:x:", "all:a delete:d expire:e lock:l unlock:u status:S quiet:q", status=2, hint=False)
    name = (options.operands or [p.account.name])[0]
    if user(p.fs, name) is None:
        complain(p, f"user '{name}' does not exist")
        return 1
    if p.account.uid and name != p.account.name:
        p.stderr.write(f"passwd: You may not view or modify password information for {name}.\n".encode())
        return 1
    rows = shadow_rows(p)
    row = next((row for row in rows if row[0] == name), None)
    if "S" in options:
        secret = row[1] if row else "*"
        state = "NP" if secret == "" else "L" if secret[0] in "!*" else "P"
        day = datetime.fromtimestamp(int(row[2] if row and row[2] else 0) * 86400, timezone.utc)
        p.out(f"{name} {state} {day:%m/%d/%Y} 0 99999 7 -1\n")
        return 0
    if options.any("dlu") and row:
        row[1] = "" if "d" in options else "!" + row[1].lstrip("!") if "l" in options else row[1].lstrip("!")
        write_shadow(p, rows)
        if "q" not in options:
            p.out("passwd: password changed.\n" if "e" in options or "d" not in options or True else "")
        return 0
    if p.account.uid:
        p.out(f"Changing password for {name}.\n")
        if await asked(p, "Current password: ") is None:
            return failed(p)
    first = await asked(p, "New password: ")
    second = await asked(p, "Retype new password: ") if first is not None else None
    if first is None or second is None or first == "":
        if first == "":
            p.stderr.write(b"No password has been supplied.\n")
        return failed(p)
    if first != second:
        p.stderr.write(b"Sorry, passwords do not match.\n")
        return failed(p)
    set_secret(p, name, first)
    p.stderr.write(b"passwd: password updated successfully\n")
    return 0


def failed(p: Process) -> int:
    p.stderr.write(b"passwd: Authentication token manipulation error\npasswd: password unchanged\n")
    return 10


async def chpasswd(p: Process) -> int:
    parse(p, "ehmc:R:s:", "encrypted:e md5:m crypt-method=:c")
    if p.account.uid:
        raise Usage(f"chpasswd: cannot lock /etc/passwd; try again later.\n")
    line_number = status = 0
    while line := await p.stdin.readline():
        line_number += 1
        name, colon, password = line.decode("utf-8", "surrogateescape").rstrip("\n").partition(":")
        if not colon:
            p.stderr.write(f"chpasswd: line {line_number}: missing new password\n".encode())
            status = 1
        elif user(p.fs, name) is None:
            p.stderr.write(
                f"chpasswd: (user {name}) pam_chauthtok() failed, error:\nAuthentication token manipulation error\n"
                f"chpasswd: (line {line_number}, user {name}) password not changed\n".encode()
            )
            status = 1
        else:
            set_secret(p, name, password)
    return status


async def chage(p: Process) -> int:
    options = parse(p, "d:E:hi:I:lm:M:R:W:", "list:l", status=2)
    name = (options.operands or [p.account.name])[0]
    row = next((row for row in shadow_rows(p) if row[0] == name), None)
    if row is None:
        raise Usage(f"chage: user '{name}' does not exist in /etc/passwd\n")
    if "l" in options:
        day = datetime.fromtimestamp(int(row[2] or 0) * 86400, timezone.utc)
        p.out(
            f"Last password change\t\t\t\t\t: {day:%b %d, %Y}\nPassword expires\t\t\t\t\t: never\nPassword inactive\t\t\t\t\t: never\n"
            "Account expires\t\t\t\t\t\t: never\nMinimum number of days between password change\t\t: 0\n"
            "Maximum number of days between password change\t\t: 99999\nNumber of days of warning before password expires\t: 7\n"
        )
    return 0


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
            elif g.name not in wanted and "a" not in options and name in g.members:
                g.members.remove(name)
        write_groups(p.fs, all_groups)
    account.shell, account.home = options.text("s", account.shell), options.text("d", account.home)
    account.gecos, account.name = options.text("c", account.gecos), options.text("l", account.name)
    if options.text("u").isdigit():
        account.uid = int(options.text("u"))
    write_users(p.fs, everybody)
    if options.any("LUp"):
        rows = shadow_rows(p)
        for row in rows:
            if row[0] == name:
                row[1] = options.text("p") or ("!" + row[1] if "L" in options else row[1].lstrip("!"))
        write_shadow(p, rows)
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
    return 0


def account_of(p: Process, found: User) -> Account:
    return Account(found.name, found.uid, found.gid, tuple(gids_of(p.fs, found)), found.home, found.shell)


async def su(p: Process) -> int:
    words, login, command, shell, names = list(p.args[1:]), False, None, None, []
    while words:
        word = words.pop(0)
        if word in ("-", "-l", "--login"):
            login = True
        elif word in ("-c", "--command"):
            command = words.pop(0) if words else ""
        elif word in ("-s", "--shell"):
            shell = words.pop(0) if words else None
        elif not word.startswith("-"):
            names.append(word)
    found = user(p.fs, names[0] if names else "root")
    if found is None:
        raise Usage(f"su: user {names[0]} does not exist or the user entry does not contain all the required fields\n")
    if p.account.uid:
        answer = await asked(p, "Password: ")
        await p.host.sleep(1.5)
        if answer is None or p.notes.get("passwords", {}).get(found.name, secret_of(p, found.name)) != answer:
            raise Usage("su: Authentication failure\n")
    account = account_of(p, found)
    env = {**p.env, "HOME": account.home, "SHELL": account.shell}
    if account.uid or login:
        env |= {"USER": account.name, "LOGNAME": account.name}
    if login:
        env["PATH"] = SECURE_PATH if account.uid == 0 else "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    if account.shell.endswith(("nologin", "false")) and shell is None:
        p.out("This account is currently not available.\n")
        return 1
    program = shell or account.shell or "/bin/sh"
    args = [program, *(["-l"] if login else []), *(["-c", command] if command is not None else [])]
    more = {"cwd": account.home} if login else {}
    return await started(p, args, env=env, account=account, **more)


def secret_of(p: Process, name: str) -> str | None:
    """What opens the account on this decoy, if anything does."""
    return next((u.passwords[0] for u in p.host.persona.users if u.name == name and u.passwords), None)


async def sudo(p: Process) -> int:
    options = parse(p, "ABbEeHhiKklnPSsVvg:p:u:U:C:T:D:", "list:l user=:u non-interactive:n stdin:S login:i shell:s help:h version:V validate:v", permute=False, hint=False)
    if "V" in options:
        p.out("Sudo version 1.9.13p3\n")
        return 0
    host = p.host.persona.hostname
    allowed = p.account.uid == 0 or any(g.name in ("sudo", "wheel") and p.account.name in g.members for g in groups(p.fs))
    if p.account.uid and not (options.any("kK")):
        if "n" in options:
            raise Usage("sudo: a password is required\n")
        if not p.stdin.is_tty and "S" not in options:
            raise Usage("sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required\n")
        right = p.notes.get("passwords", {}).get(p.account.name, secret_of(p, p.account.name))
        for attempt in range(3):
            answer = await asked(p, options.text("p") or f"[sudo] password for {p.account.name}: ")
            if answer is None:
                raise Usage("sudo: no password was provided\nsudo: a password is required\n")
            if answer == right:
                break
            await p.host.sleep(1.8)
            p.stderr.write(b"Sorry, try again.\n" if attempt < 2 else b"sudo: 3 incorrect password attempts\n")
        else:
            return 1
        if not allowed:
            raise Usage(f"{p.account.name} is not in the sudoers file.\n")
    if "l" in options:
        name = options.text("U", p.account.name)
        p.out(
            f"Matching Defaults entries for {name} on {host}:\n    env_reset, mail_badpass, "
            f"secure_path={SECURE_PATH.replace(':', chr(92) + ':')}, use_pty\n\n"
            f"User {name} may run the following commands on {host}:\n    (ALL : ALL) ALL\n"
        )
        return 0
    if options.any("kKv"):
        return 0
    name = options.text("u", "root")
    found = user(p.fs, name.lstrip("#"))
    if found is None:
        raise Usage(f"sudo: unknown user {name}\nsudo: error initializing audit plugin sudoers_audit\n")
    account = account_of(p, found)
    words = list(options.operands)
    env = {
        **{key: value for key, value in p.env.items() if key in ("LANG", "LC_ALL", "TERM", "DISPLAY", "PATH")},
        **{"PATH": SECURE_PATH, "HOME": account.home, "SHELL": account.shell, "USER": account.name, "LOGNAME": account.name},
        **{"SUDO_USER": p.account.name, "SUDO_UID": str(p.account.uid), "SUDO_GID": str(p.account.gid), "SUDO_COMMAND": " ".join(words)},
    }
    while words and re.match(r"[A-Za-z_]\w*=", words[0]):
        key, _, value = words.pop(0).partition("=")
        env[key] = value
    if options.any("is"):
        words = [account.shell, *(["-l"] if "i" in options else []), *(["-c", " ".join(words)] if words else [])]
    if not words:
        raise Usage(
            "usage: sudo -h | -K | -k | -V\nusage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]\n"
            "usage: sudo -l [-ABkNnS] [-g group] [-h host] [-p prompt] [-U user] [-u user] [command [arg ...]]\n"
        )
    try:
        return await p.spawn(words, env=env, account=account, **({"cwd": account.home} if "i" in options else {}))
    except FileNotFoundError:
        raise Usage(f"sudo: {words[0]}: command not found\n") from None
    except PermissionError:
        raise Usage(f"sudo: {words[0]}: command not found\n") from None


COMMANDS = {
    **{"passwd": passwd, "chpasswd": chpasswd, "chage": chage, "useradd": useradd, "adduser": adduser, "usermod": usermod},
    **{"userdel": userdel, "groupadd": groupadd, "su": su, "sudo": sudo, "deluser": userdel},
}
