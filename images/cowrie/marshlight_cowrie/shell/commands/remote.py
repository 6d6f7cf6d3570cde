"""
Clients of other hosts: ssh scp sftp telnet nc. Nothing leaves the decoy: an address does not answer, as behind a
firewall that drops, a name is not known, and this host's own ports answer as its own services would refuse.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from typing import TYPE_CHECKING

from .options import Usage
from .passwords import asked
from .shadow import opens

if TYPE_CHECKING:
    from ..ports import Process

#: Linux gives up on a connection after this many seconds without an answer.
GIVEN_UP = 131.0
#: Options of each that take a word.
TAKING = {"ssh": "BbcDEeFIiJLlmOopQRSWw", "scp": "cDFiJloPSX", "sftp": "BbcDFiJloPRSsX", "nc": "ceghiopqsTwG", "telnet": "belnXSk"}
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
NAMES = {21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 80: "http", 110: "pop3", 139: "netbios-ssn", 143: "imap2", 443: "https", 445: "microsoft-ds", 3306: "mysql", 8080: "http-alt"}


def split(p: Process, name: str, *, permute: bool = False) -> tuple[dict[str, str], list[str], str]:
    """Options with a word, operands, and the letters without one."""
    given: dict[str, str] = {}
    letters, rest = "", list(p.args[1:])
    operands: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if not word.startswith("-") or len(word) == 1:
            operands.append(word)
            if not permute and name == "ssh" and len(operands) > 1:
                operands += rest
                break
            continue
        for at, letter in enumerate(word[1:], 1):
            if letter in TAKING[name]:
                value = word[at + 1 :] or (rest.pop(0) if rest else "")
                given[letter] = f"{given[letter]}\n{value}" if letter == "o" and letter in given else value
                break
            letters += letter
    return given, operands, letters


def settings(given: dict[str, str]) -> dict[str, str]:
    rows = [line.replace("=", " ", 1).split(None, 1) for line in given.get("o", "").splitlines()]
    return {row[0].lower(): row[1].strip() for row in rows if len(row) == 2}


def own(p: Process, address: str) -> bool:
    return address in ("127.0.0.1", "localhost", "::1", "0.0.0.0", p.host.address, p.host.persona.hostname) or address.startswith("127.")


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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


async def telnet(p: Process) -> int:
    _, operands, _ = split(p, "telnet", permute=True)
    if not operands:
        p.out("telnet> ")
        while (line := (await p.stdin.readline()).decode("utf-8", "replace")) and line.strip() not in ("quit", "q", "exit"):
            p.out("telnet> " if not line.strip() else "?Invalid command\ntelnet> ")
        p.out("" if line else "\n")
        return 0
    host, port = operands[0], operands[1] if len(operands) > 1 else "telnet"
    if not own(p, host) and not is_address(host):
        await p.host.sleep(4)
        raise Usage(f"Server lookup failure:  {host}:{port}, Temporary failure in name resolution\n")
    p.out(f"Trying {'127.0.0.1' if host == 'localhost' else host}...\n")
    if not own(p, host):
        await p.host.sleep(GIVEN_UP)
        raise Usage("telnet: Unable to connect to remote host: Connection timed out\n")
    raise Usage("telnet: Unable to connect to remote host: Connection refused\n")


async def nc(p: Process) -> int:
    given, operands, letters = split(p, "nc", permute=True)
    if "h" in letters or "h" in given:
        p.stderr.write(b"[v1.10-47]\nconnect to somewhere:\tnc [-options] hostname port[s] [ports] ... \nlisten for inbound:\tnc -l -p port [-options] [hostname] [port]\n")
        return 1
    if "l" in letters:
        if "v" in letters:
            p.stderr.write(f"listening on [any] {given.get('p', '0')} ...\n".encode())
        await p.host.sleep(float(given["w"]) if given.get("w", "").isdigit() else 1e6)
        return 1
    if not operands:
        p.stderr.write(b"Cmd line: ")
        line = (await p.stdin.readline()).decode("utf-8", "replace").split()
        p.stderr.write(b"wrong\n" if not line else b"")
        operands = line
        if not operands:
            return 1
    host = operands[0]
    if not own(p, host) and not is_address(host):
        await p.host.sleep(4)
        raise Usage(f"{host}: forward host lookup failed: Host name lookup failure : Resource temporarily unavailable\n")
    if len(operands) < 2:
        raise Usage("no port[s] to connect to\n")
    loud = "v" in letters
    shown = "localhost" if host in ("127.0.0.1", "localhost") and (loud or host == "localhost") else "(UNKNOWN)"
    address = "127.0.0.1" if host == "localhost" else host
    if loud and not own(p, host) and "n" not in letters:
        p.stderr.write(f"{address}: inverse host lookup failed: Host name lookup failure\n".encode())
    from .sockets import listeners

    served = {port for protocol, _, port, *_ in listeners(p) if protocol.startswith("tcp")} if own(p, host) else set()
    status = 1
    for port in ports(operands[1:]):
        name = NAMES.get(port, "?")
        if port in served:
            status = 0
            if loud:
                p.stderr.write(f"{shown} [{address}] {port} ({name}) open\n".encode())
            if "z" not in letters:
                await p.stdin.read(-1) if not p.stdin.is_tty else await p.stdin.readline()
                return 0
            continue
        if not own(p, host):
            await p.host.sleep(float(given["w"]) if given.get("w", "").isdigit() else GIVEN_UP)
        if loud or "z" not in letters:
            p.stderr.write(f"{shown} [{address}] {port} ({name}) : {'Connection refused' if own(p, host) else 'Connection timed out'}\n".encode())
    return status


def ports(words: list[str]) -> list[int]:
    found: list[int] = []
    for word in words:
        low, _, high = word.partition("-")
        if low.isdigit() and (high or low).isdigit():
            found += range(int(high or low), int(low) - 1, -1)
    return found[:1024]


COMMANDS = {"ssh": ssh, "scp": copy, "sftp": copy, "telnet": telnet, "nc": nc, "netcat": nc, "nc.traditional": nc}
