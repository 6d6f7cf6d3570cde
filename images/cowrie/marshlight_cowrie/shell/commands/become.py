"""Acting as another: su and sudo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..ports import Account
from .names import User, gids_of, groups, user
from .options import Usage, parse
from .passwords import asked
from .xargs import started

if TYPE_CHECKING:
    from ..ports import Process

SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


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
    # A log-in starts from nothing but the terminal's kind.
    kept = {name: p.env[name] for name in ("TERM", "COLORTERM", "NO_COLOR") if name in p.env} if login else p.env
    env = {**kept, "HOME": account.home, "SHELL": account.shell, "MAIL": f"/var/mail/{account.name}"}
    if account.uid or login:
        env |= {"USER": account.name, "LOGNAME": account.name}
    if login:
        if p.host.persona.locale not in ("", "C"):
            env["LANG"] = p.host.persona.locale
        env["PATH"] = SECURE_PATH if account.uid == 0 else "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    if account.shell.endswith(("nologin", "false")) and shell is None:
        p.out("This account is currently not available.\n")
        return 1
    program = shell or account.shell or "/bin/sh"
    args = [program, *(["-c", command] if command is not None else [])]
    base = program.rsplit("/", 1)[-1]
    more = {"cwd": account.home, "called": f"-{base}"} if login else {"called": base}
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
        **{"PATH": SECURE_PATH, "MAIL": f"/var/mail/{account.name}", "TERM": p.env.get("TERM", "unknown")},
        **{"HOME": account.home, "SHELL": account.shell, "USER": account.name, "LOGNAME": account.name},
        **{"SUDO_USER": p.account.name, "SUDO_UID": str(p.account.uid), "SUDO_GID": str(p.account.gid), "SUDO_COMMAND": " ".join(words)},
    }
    while words and re.match(r"[A-Za-z_]\w*=", words[0]):
        key, _, value = words.pop(0).partition("=")
        env[key] = value
    called = None
    if options.any("is"):
        words = [account.shell, *(["-c", " ".join(words)] if words else [])]
        called = f"-{account.shell.rsplit('/', 1)[-1]}" if "i" in options else None
        env["SUDO_COMMAND"] = " ".join(words)
    if not words:
        raise Usage(
            "usage: sudo -h | -K | -k | -V\nusage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]\n"
            "usage: sudo -l [-ABkNnS] [-g group] [-h host] [-p prompt] [-U user] [-u user] [command [arg ...]]\n"
        )
    try:
        return await p.spawn(words, env=env, account=account, called=called, **({"cwd": account.home} if "i" in options else {}))
    except FileNotFoundError:
        raise Usage(f"sudo: {words[0]}: command not found\n") from None
    except PermissionError:
        raise Usage(f"sudo: {words[0]}: command not found\n") from None


COMMANDS = {"su": su, "sudo": sudo}
