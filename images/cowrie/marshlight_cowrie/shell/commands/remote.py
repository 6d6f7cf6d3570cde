"""Clients that log in to other hosts: ssh scp sftp. Nothing leaves the decoy: an address does not answer, as behind a firewall that drops."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from .distant import GIVEN_UP, is_address, own, split
from .options import Usage
from .passwords import asked
from .shadow import opens

if TYPE_CHECKING:
    from ..ports import Process

SSH_USAGE = """usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]
           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]
           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]
           [-i identity_file] [-J [user@]host[:port]] [-L address]
           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]
           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]
           [-w local_tun[:remote_tun]] destination [command [argument ...]]
"""
SCP_USAGE = """usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]
           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]
           [-P port] [-S program] [-X sftp_option] source ... target
"""
SFTP_USAGE = """usage: sftp [-46AaCfNpqrv] [-B buffer_size] [-b batchfile] [-c cipher]
          [-D sftp_server_command] [-F ssh_config] [-i identity_file]
          [-J destination] [-l limit] [-o ssh_option] [-P port]
          [-R num_requests] [-S program] [-s subsystem | sftp_server]
          [-X sftp_option] destination
"""


def settings(given: dict[str, str]) -> dict[str, str]:
    rows = [line.replace("=", " ", 1).split(None, 1) for line in given.get("o", "").splitlines()]
    return {row[0].lower(): row[1].strip() for row in rows if len(row) == 2}


async def ssh(p: Process) -> int:
    given, operands, letters = split(p, "ssh")
    if "V" in letters:
        p.stderr.write(version(p).encode())
        return 0
    unknown = next((letter for letter in letters if letter not in "46AaCfGgKkMNnqsTtVvXxYy"), None)
    if unknown or not operands:
        raise Usage((f"unknown option -- {unknown}\n" if unknown else "") + SSH_USAGE, 255)
    name, _, host = operands[0].removeprefix("ssh://").rpartition("@")
    if len(operands) == 1 and not p.stdin.is_tty and not set("TNt") & set(letters):
        p.stderr.write(b"Pseudo-terminal will not be allocated because stdin is not a terminal.\r\n")
    port = int(given["p"]) if given.get("p", "").isdigit() else 22
    await reach(p, host, port, settings(given))
    return await log_in(p, name or given.get("l") or p.account.name, host, settings(given), operands[1:])


async def reach(p: Process, host: str, port: int, wanted: dict[str, str]) -> None:
    """Comes back only where this host's own sshd would take the connection."""
    if not own(p, host) and not is_address(host):
        await p.host.sleep(3 + 2 * p.host.random(f"resolve {host}"))
        raise Usage(f"ssh: Could not resolve hostname {host}: Temporary failure in name resolution\r\n", 255)
    served = p.host.persona.ssh
    if own(p, host):
        if served is None or port != getattr(served, "port", 22):
            raise Usage(f"ssh: connect to host {host} port {port}: Connection refused\r\n", 255)
        return
    limit = wanted.get("connecttimeout", "")
    await p.host.sleep(min(GIVEN_UP, float(limit)) if limit.isdigit() else GIVEN_UP)
    raise Usage(f"ssh: connect to host {host} port {port}: Connection timed out\r\n", 255)


async def log_in(p: Process, name: str, host: str, wanted: dict[str, str], command: list[str]) -> int:
    from .become import account_of
    from .names import user

    shown = f"{host} (127.0.0.1)" if not is_address(host) else f"{host} ({host})"
    if wanted.get("stricthostkeychecking", "ask").lower() not in ("no", "off", "accept-new"):
        if not p.stdin.is_tty:
            raise Usage("Host key verification failed.\r\n", 255)
        p.stderr.write(
            f"The authenticity of host '{shown}' can't be established.\r\nED25519 key fingerprint is {fingerprint(p)}.\r\n"
            "This key is not known by any other names.\r\nAre you sure you want to continue connecting (yes/no/[fingerprint])? ".encode()
        )
        if (await p.stdin.readline()).strip() != b"yes":
            raise Usage("Host key verification failed.\r\n", 255)
    p.stderr.write(f"Warning: Permanently added '{host}' (ED25519) to the list of known hosts.\r\n".encode())
    if not p.stdin.is_tty or wanted.get("batchmode", "no").lower() == "yes":
        raise Usage(f"{name}@{host}: Permission denied (publickey,password).\r\n", 255)
    found = user(p.fs, name)
    for attempt in range(3):
        answer = await asked(p, f"{name}@{host}'s password: ")
        if answer is None:
            break
        if found is not None and opens(p, name, answer):
            account = account_of(p, found)
            env = {"HOME": account.home, "USER": name, "LOGNAME": name, "SHELL": account.shell, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/games", "TERM": p.env.get("TERM", "")}
            words = [account.shell, *(["-c", " ".join(command)] if command else [])]
            status = await p.spawn(words, env=env, account=account, cwd=account.home, called=f"-{account.shell.rsplit('/', 1)[-1]}" if not command else None)
            if not command:
                p.stderr.write(f"Connection to {host} closed.\r\n".encode())
            return status
        await p.host.sleep(1.5 + p.host.random(f"{name} {attempt}"))
        if attempt < 2:
            p.stderr.write(b"Permission denied, please try again.\r\n")
    raise Usage(f"{name}@{host}: Permission denied (publickey,password).\r\n", 255)


def fingerprint(p: Process) -> str:
    try:
        key = base64.b64decode(p.fs.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[1])
    except (OSError, ValueError, IndexError):
        key = p.host.persona.hostname.encode()
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def version(p: Process) -> str:
    packages = {package.name: package.version for package in getattr(p.host.persona, "packages", ())}
    number, _, debian = packages.get("openssh-client", "1:9.2p1-2+deb12u3").partition(":")[2].partition("-")
    return f"OpenSSH_{number} Debian-{debian}, OpenSSL {packages.get('libssl3', '3.0.15').partition('-')[0]} {'3 Sep 2024' if '3.0.15' in packages.get('libssl3', '3.0.15') else '25 Aug 2026'}\n"


async def copy(p: Process) -> int:
    name = p.args[0].rsplit("/", 1)[-1]
    given, operands, _ = split(p, name, permute=True)
    if len(operands) < (2 if name == "scp" else 1):
        raise Usage(SCP_USAGE if name == "scp" else SFTP_USAGE)
    far = [word for word in operands if ":" in word.partition("/")[0]] if name == "scp" else operands
    if not far:
        return await p.spawn(["cp", *operands])
    if name == "scp" and far[-1] is operands[-1]:
        for source in operands[:-1]:
            try:
                p.fs.stat(p.path(source))
            except OSError as error:
                p.stderr.write(f"scp: stat local \"{source}\": {error.strerror}\n".encode())
    host = far[0].partition(":")[0].rpartition("@")[2]
    port = int(given["P"]) if given.get("P", "").isdigit() else 22
    end = "scp: Connection closed\r\n" if name == "scp" else "Connection closed\r\n"
    try:
        await reach(p, host, port, settings(given))
        await log_in(p, far[0].rpartition("@")[0] or p.account.name, host, settings(given), ["true"])
    except Usage as usage:
        raise Usage(usage.text + end, 255) from None
    return 0


COMMANDS = {"ssh": ssh, "scp": copy, "sftp": copy}
