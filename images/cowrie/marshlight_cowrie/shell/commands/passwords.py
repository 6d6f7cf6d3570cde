"""Changing passwords: passwd chpasswd chage."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .names import user
from .options import Usage, complain, parse
from .said import login_name, note, terminal
from .shadow import opens, set_secret, shadow_rows, write_shadow

if TYPE_CHECKING:
    from ..ports import Process


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
        note(p, "auth", f"password for '{name}' changed by '{p.account.name}'")
        if "q" not in options:
            p.out("passwd: password changed.\n" if "e" in options or "d" not in options or True else "")
        return 0
    if p.account.uid:
        p.out(f"Changing password for {name}.\n")
        current = await asked(p, "Current password: ")
        if current is None:
            return failed(p)
        if not opens(p, name, current):
            note(p, "auth", f"pam_unix(passwd:chauthtok): authentication failure; logname={login_name(p)} uid={p.account.uid} euid=0 tty={terminal(p, '')} ruser= rhost=  user={name}")
            await p.host.sleep(1.9)
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
    note(p, "auth", f"pam_unix(passwd:chauthtok): password changed for {name}")
    p.stderr.write(b"passwd: password updated successfully\n")
    return 0


def failed(p: Process) -> int:
    p.stderr.write(b"passwd: Authentication token manipulation error\npasswd: password unchanged\n")
    return 10


async def chpasswd(p: Process) -> int:
    parse(p, "ehmc:R:s:", "encrypted:e md5:m crypt-method=:c")
    if p.account.uid:
        raise Usage("chpasswd: cannot lock /etc/passwd; try again later.\n")
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
            note(p, "auth", f"pam_unix(chpasswd:chauthtok): password changed for {name}")
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


COMMANDS = {"passwd": passwd, "chpasswd": chpasswd, "chage": chage}
