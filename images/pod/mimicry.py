"""
What traffic that this host makes by itself may leave, and who reaches its answers: control/mimicry.json -> rules.

    targets   may be opened by the account of the process that mimics (mimic.py) and by no other: whatever runs in a service's
              container has another one, so to an attacker they are as closed as anything else
    answerOn  what peers send to this port goes to LISTEN, an address that only this namespace knows; nothing listens on the
              port itself, so that everybody else, and each odd probe, gets what the kernel gives for any closed port

Only names of packets stand here, no rights are used: marshlight-pod loads the rules and reads them back.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import socket
import struct

MIMICRY = os.environ.get("MARSHLIGHT_MIMICRY_FILE", "/marshlight/control/mimicry.json")
ACCOUNT = 65533
# The dummy address of RFC 7600: on no link, in no route.
LISTEN = "192.0.0.8"
TABLE = "marshlight_mimicry"
LONGEST = 1 << 18
MOST_TARGETS = 64
MOST_INSTANCES = 8
SIOCSIFADDR, SIOCSIFNETMASK = 0x8916, 0x891C


def wanted() -> tuple[dict | None, str | None]:
    """The plan of the file, held to what is used of it; None for no mimicry; and why it cannot be used."""
    try:
        with open(MIMICRY, "rb") as file:
            said = json.loads(file.read(LONGEST))
        return (None, None) if said is None else (checked(said), None)
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return None, f"{MIMICRY}: {error}"[:300]


def checked(said: dict) -> dict:
    targets = named([target_of(one) for one in said["targets"]])
    if len(targets) > MOST_TARGETS:
        raise ValueError(f"{len(targets)} targets")
    answer = said.get("answerOn")
    if answer is not None:
        peers = [str(ipaddress.IPv4Address(peer)) for peer in answer["peers"]][:MOST_TARGETS]
        answer = {"port": port_of(answer["port"]), "peers": peers} if peers else None
    bounds = {name: said[name] for name in ("mostAnHour", "mostBytesAnHour")}
    if not all(type(most) is int and most > 0 for most in bounds.values()):
        raise ValueError(f"bounds {bounds}")
    instances = said.get("instantiations", 1)
    if type(instances) is not int or not 1 <= instances <= MOST_INSTANCES:
        raise ValueError(f"instantiations {instances!r}")
    return {"targets": targets, "answerOn": answer, "instantiations": instances, **bounds}


def target_of(one: dict) -> dict:
    if one["proto"] not in ("tcp", "udp") or one["role"] not in ("resolver", "updates", "clock", "peer", "service"):
        raise ValueError(f"target {one!r}"[:200])
    names = [name for name in one.get("names", []) if isinstance(name, str) and 0 < len(name) <= 253][:32]
    place = {"ip": str(ipaddress.IPv4Address(one["ip"])), "port": port_of(one["port"])}
    return {"role": one["role"], "proto": one["proto"], "names": names, **place}


def named(targets: list[dict]) -> list[dict]:
    """Where a resolver has no names it is asked for those of the other places, or for whose their addresses are: no name but the plan's."""
    names = [name for one in targets for name in one["names"]] or [
        ipaddress.IPv4Address(one["ip"]).reverse_pointer for one in targets
    ]
    return [
        {**one, "names": list(dict.fromkeys(names))[:32]} if one["role"] == "resolver" and not one["names"] else one
        for one in targets
    ]


def port_of(value: object) -> int:
    if type(value) is not int or not 1 <= value <= 65535:
        raise ValueError(f"port {value!r}")
    return value


def egress(plan: dict | None) -> tuple[list[tuple], list[str]]:
    """What may leave, as marshlight-pod names it when it reads back, and the rules for it."""
    places = sorted({(one["ip"], one["proto"], one["port"]) for one in (plan or {"targets": []})["targets"]})
    rules = [f"meta skuid {ACCOUNT} ip daddr {ip} {proto} dport {port} accept" for ip, proto, port in places]
    return [(f"{ip}/32", f"{proto} of {ACCOUNT}", port) for ip, proto, port in places], rules


def text(plan: dict | None) -> str:
    """The table by which peers reach the answers; without any the old one goes."""
    fresh = f"table ip {TABLE}\ndelete table ip {TABLE}\n"
    answer = plan and plan["answerOn"]
    if not answer:
        return fresh
    return f"""{fresh}
table ip {TABLE} {{
  chain hidden {{
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr {LISTEN} drop
  }}
  chain peers {{
    type nat hook prerouting priority dstnat - 10; policy accept;
    ip saddr {{ {", ".join(sorted(answer["peers"]))} }} tcp dport {answer["port"]} dnat to {LISTEN}:{answer["port"]}
  }}
}}
"""


def unasked() -> str:
    """No neighbour is told of the address; a kernel that cannot filter ARP is no reason for no decoy."""
    table = f"arp {TABLE}"
    chain = f"chain input {{\n type filter hook input priority filter; policy accept;\n arp daddr ip {LISTEN} drop\n }}"
    return f"table {table}\ndelete table {table}\ntable {table} {{\n {chain}\n}}\n"


def compare(plan: dict | None, entries: list[dict]) -> str | None:
    """Entries of `nft -j list table`; None when the table is that of the plan."""
    rules = [entry["rule"] for entry in entries if "rule" in entry]
    answer = plan and plan["answerOn"]
    if len(rules) != (2 if answer else 0):
        return f"{len(rules)} rules of mimicry in force"
    asked = [rule for rule in rules if rule["chain"] == "peers"]
    for rule in asked:
        rights = [part["match"]["right"] for part in rule["expr"] if "match" in part]
        peers = rights[0]["set"] if isinstance(rights[0], dict) else [rights[0]]
        if sorted(peers) != sorted(answer["peers"]) or rights[1] != answer["port"]:
            return f"the answers of mimicry are open to {rights}"
    return None


def have_address() -> None:
    """Gives the loopback device the address that answers listen on; twice is no harm."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for request, address in ((SIOCSIFADDR, LISTEN), (SIOCSIFNETMASK, "255.255.255.255")):
            own = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(probe, request, struct.pack("16s16s", b"lo:mimic", own))
