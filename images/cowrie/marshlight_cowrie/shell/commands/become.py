"""Acting as another: su and sudo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..ports import Account
from .names import User, gids_of, groups, user
from .options import Options, Usage, parse
from .passwords import asked
from .said import login_name, note, terminal
from .shadow import opens
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
        if answer is None or not opens(p, found.name, answer):
            who, where = p.account, terminal(p, "")
            failure = f"logname={login_name(p)} uid={who.uid} euid=0 tty={where} ruser={who.name} rhost=  user={found.name}"
            note(p, "auth", f"pam_unix(su:auth): authentication failure; {failure}", "su")
            note(p, "auth", f"FAILED SU (to {found.name}) {who.name} on {terminal(p)}")
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
    kind = "su-l" if login else "su"
    note(p, "auth", f"(to {account.name}) {p.account.name} on {terminal(p)}")
    note(p, "auth", f"pam_unix({kind}:session): session opened for user {account.name}(uid={account.uid}) by {by(p)}")
    try:
        return await started(p, args, env=env, account=account, **more)
    finally:
        note(p, "auth", f"pam_unix({kind}:session): session closed for user {account.name}")


def by(p: Process) -> str:
    """Who opens a session, as PAM has it: his log-in's name is known on a terminal alone."""
    return f"{login_name(p)}(uid={p.account.uid})"


async def sudo(p: Process) -> int:
    options = parse(p, "ABbEeHhiKklnPSsVvg:p:u:U:C:T:D:", "list:l user=:u non-interactive:n stdin:S login:i shell:s help:h version:V validate:v", permute=False, hint=False)
    if "V" in options:
        p.out("Sudo version 1.9.13p3\n")
        return 0
    host = p.host.persona.hostname

    def tell(why: str = "") -> None:
        """sudo's own line: who, from where, as whom, what."""
        tty = f"TTY={terminal(p)} ; " if p.tty else ""
        what = f"{tty}PWD={p.cwd} ; USER={options.text('u', 'root')} ; COMMAND={whole_command(p, options)}"
        note(p, "auth", f"{p.account.name:>8} : {why + ' ; ' if why else ''}{what}", "sudo")

    allowed = p.account.uid == 0 or any(g.name in ("sudo", "wheel") and p.account.name in g.members for g in groups(p.fs))
    if p.account.uid and not (options.any("kK")):
        if "n" in options:
            raise Usage("sudo: a password is required\n")
        if not p.stdin.is_tty and "S" not in options:
            raise Usage("sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required\n")
        for attempt in range(3):
            answer = await asked(p, options.text("p") or f"[sudo] password for {p.account.name}: ")
            if answer is None:
                if attempt:
                    tell(f"{attempt} incorrect password attempt{'s' if attempt > 1 else ''}")
                raise Usage("sudo: no password was provided\nsudo: a password is required\n")
            if opens(p, p.account.name, answer):
                break
            if attempt == 0:
                me = p.account
                failure = f"logname={login_name(p)} uid={me.uid} euid=0 tty={p.tty or ''} ruser={me.name} rhost=  user={me.name}"
                note(p, "auth", f"pam_unix(sudo:auth): authentication failure; {failure}", "sudo")
            await p.host.sleep(1.8)
            p.stderr.write(b"Sorry, try again.\n" if attempt < 2 else b"sudo: 3 incorrect password attempts\n")
        else:
            tell("3 incorrect password attempts")
            return 1
        if not allowed:
            tell("user NOT in sudoers")
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
    tell()
    opened = f"session opened for user {account.name}(uid={account.uid}) by {by(p)}"
    note(p, "auth", f"pam_unix(sudo:session): {opened}", "sudo")
    try:
        return await p.spawn(words, env=env, account=account, called=called, **({"cwd": account.home} if "i" in options else {}))
    except FileNotFoundError:
        raise Usage(f"sudo: {words[0]}: command not found\n") from None
    except PermissionError:
        raise Usage(f"sudo: {words[0]}: command not found\n") from None
    finally:
        note(p, "auth", f"pam_unix(sudo:session): session closed for user {account.name}", "sudo")


def whole_command(p: Process, options: Options) -> str:
    """With the path that sudo found the program at."""
    words = [word for word in options.operands if not re.match(r"[A-Za-z_]\w*=", word)]
    if options.any("is"):
        words = ["/bin/bash", *(["-c", *words] if words else [])]
    if "l" in options:
        words = ["list"]
    if words and "/" not in words[0]:
        words[0] = next((path for folder in SECURE_PATH.split(":") if p.fs.access(path := f"{folder}/{words[0]}", execute=True)), words[0])
    return " ".join(words)[:600]


COMMANDS = {"su": su, "sudo": sudo}
