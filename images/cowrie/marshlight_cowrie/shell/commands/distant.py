"""What stands between this host and all others; telnet and nc. A name is not known, an own port answers as its service would."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .options import Usage

if TYPE_CHECKING:
    from ..ports import Process

#: Linux gives up on a connection after this many seconds without an answer.
GIVEN_UP = 131.0
#: Options of each that take a word.
TAKING = {"ssh": "BbcDEeFIiJLlmOopQRSWw", "scp": "cDFiJloPSX", "sftp": "BbcDFiJloPRSsX", "nc": "ceghiopqsTwG", "telnet": "belnXSk"}
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


def own(p: Process, address: str) -> bool:
    return address in ("127.0.0.1", "localhost", "::1", "0.0.0.0", p.host.address, p.host.persona.hostname) or address.startswith("127.")


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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


COMMANDS = {"telnet": telnet, "nc": nc, "netcat": nc, "nc.traditional": nc}
