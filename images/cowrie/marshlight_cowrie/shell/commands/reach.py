"""What asks other hosts, and gets no answer: ping and look-ups of names."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .options import Usage

if TYPE_CHECKING:
    from ..ports import Process


async def ping(p: Process) -> int:
    names = [word for index, word in enumerate(p.args[1:]) if not word.startswith("-") and p.args[index] not in ("-c", "-W", "-w", "-i", "-s", "-I", "-t")]
    if not names:
        raise Usage("ping: usage error: Destination address required\n")
    try:
        address = ipaddress.ip_address(names[-1])
    except ValueError:
        await p.host.sleep(2)
        raise Usage(f"ping: {names[-1]}: Temporary failure in name resolution\n", 2) from None
    p.out(f"PING {address} ({address}) 56(84) bytes of data.\n")
    own = str(address) in (p.host.address, "127.0.0.1")
    count = next((int(p.args[i + 1]) for i, word in enumerate(p.args[:-1]) if word == "-c" and p.args[i + 1].isdigit()), 4)
    for number in range(1, min(count, 20) + 1):
        if own:
            p.out(f"64 bytes from {address}: icmp_seq={number} ttl={p.host.persona.ttl} time=0.0{21 + number} ms\n")
        await p.host.sleep(1)
    lost = 0 if own else 100
    p.out(f"\n--- {address} ping statistics ---\n{count} packets transmitted, {count if own else 0} received, {lost}% packet loss, time {(count - 1) * 1012}ms\n\n")
    return 0 if own else 1


async def look_up(p: Process) -> int:
    kind = p.args[0].rsplit("/", 1)[-1]
    await p.host.sleep(5)
    if kind == "dig":
        p.out("\n; <<>> DiG 9.18.28-1~deb12u2-Debian <<>> " + " ".join(p.args[1:]) + "\n;; global options: +cmd\n;; no servers could be reached\n" if "+short" not in p.args else ";; communications error to 127.0.0.53#53: timed out\n;; no servers could be reached\n")
        return 9
    p.out(";; connection timed out; no servers could be reached\n\n" if kind == "nslookup" else ";; connection timed out; no servers could be reached\n")
    return 1


COMMANDS = {"ping": ping, "dig": look_up, "nslookup": look_up, "host": look_up}
