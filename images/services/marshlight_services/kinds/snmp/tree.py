"""What a host tells by SNMP: RFC 3418's system group and RFC 2863's first interfaces."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import TYPE_CHECKING

from ... import der

if TYPE_CHECKING:
    from ...persona import Persona, Service

Value = bytes
SYSTEM, INTERFACES = "1.3.6.1.2.1.1", "1.3.6.1.2.1.2"
NET_SNMP_LINUX = "1.3.6.1.4.1.8072.3.2.10"
TICKS, COUNTER, GAUGE = 0x43, 0x41, 0x42


class Tree:
    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values
        self.order = sorted(numbers(name) for name in values)

    def get(self, name: str) -> Value | None:
        return self.values.get(name)

    def after(self, name: str) -> tuple[str, Value] | None:
        at = bisect_right(self.order, numbers(name))
        if at == len(self.order):
            return None
        found = ".".join(str(number) for number in self.order[at])
        return found, self.values[found]


def numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


def tree_of(persona: Persona, service: Service) -> Tree:
    ticks = int((time.time() - persona.booted_at) * 100) & 0xFFFFFFFF
    described = service.text("sysDescr", f"{persona.kernel.split(' ')[0]} {persona.full_name} {persona.kernel[6:]} {persona.machine}")
    system: dict[str, Value] = {
        "1.0": der.octets(described.encode()),
        "2.0": der.oid(service.text("sysObjectId", NET_SNMP_LINUX)),
        "3.0": unsigned(TICKS, ticks),
        "4.0": der.octets(service.text("sysContact", "root").encode()),
        "5.0": der.octets(persona.full_name.encode()),
        "6.0": der.octets(service.text("sysLocation", "Unknown").encode()),
        "7.0": der.integer(72),
        "8.0": unsigned(TICKS, 3),
    }
    loopback = {1: der.integer(1), 2: der.octets(b"lo"), 3: der.integer(24), 4: der.integer(65536)}
    loopback |= {5: unsigned(GAUGE, 10_000_000), 6: der.octets(b""), 7: der.integer(1), 8: der.integer(1)}
    address = bytes.fromhex(persona.mac.replace(":", "")) + persona.seed.encode()[:3]
    card = {1: der.integer(2), 2: der.octets(b"eth0"), 3: der.integer(6), 4: der.integer(1500)}
    card |= {5: unsigned(GAUGE, 1_000_000_000), 6: der.octets(own_mac() or address), 7: der.integer(1), 8: der.integer(1)}
    values = {f"{SYSTEM}.{name}": value for name, value in system.items()}
    linux = persona.kernel.startswith("Linux")
    rows = [loopback, card] if linux else [card | {1: der.integer(1)}]
    values[f"{INTERFACES}.1.0"] = der.integer(len(rows))
    for at, row in enumerate(rows, 1):
        for column, value in row.items():
            values[f"{INTERFACES}.2.1.{column}.{at}"] = value
        values[f"{INTERFACES}.2.1.10.{at}"] = unsigned(COUNTER, ticks * (at * 31) & 0xFFFFFFFF)
        values[f"{INTERFACES}.2.1.16.{at}"] = unsigned(COUNTER, ticks * (at * 17) & 0xFFFFFFFF)
    return Tree(values)


def own_mac() -> bytes:
    """The pod's card, as ARP shows it too."""
    try:
        with open("/sys/class/net/eth0/address", encoding="ascii") as file:
            return bytes.fromhex(file.read().strip().replace(":", ""))
    except (OSError, ValueError):
        return b""


def unsigned(tag: int, value: int) -> bytes:
    return der.integer(value, tag)
