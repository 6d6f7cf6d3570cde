"""Name lookups as a resolver library makes them (RFC 1035), chosen by the size that is asked for."""

from __future__ import annotations

import random
import struct

TYPES = {"A": 1, "PTR": 12, "AAAA": 28}
# An OPT record with an advertised size and nothing else (RFC 6891).
OPT = b"\x00" + struct.pack("!HHIH", 41, 1232, 0, 0)
FAR = 8


def lookup(size: int, names: list[str], chance: random.Random, after: str | None) -> tuple[str, bytes]:
    """
    A query of about so many bytes, and its name. `after`: the name that was asked for its IPv4 address just before, without
    waiting: libraries ask for the other one at once.
    """
    if after is not None:
        return after, query(chance.randrange(65536), after, "AAAA", False)
    choices = []
    for name in names:
        plain = 18 + len(name.rstrip("."))
        kind = "PTR" if name.endswith(".arpa") else "A"
        choices.append((plain, name, kind, False))
    if min(abs(choice[0] - size) for choice in choices) > FAR:
        # With an OPT record, as resolvers that are newer ask.
        choices += [(plain + len(OPT), name, kind, True) for plain, name, kind, _ in choices]
    nearest = min(abs(choice[0] - size) for choice in choices)
    near = [choice for choice in choices if abs(choice[0] - size) <= nearest]
    _, name, kind, extended = chance.choice(near)
    return name, query(chance.randrange(65536), name, kind, extended)


def query(number: int, name: str, kind: str, extended: bool) -> bytes:
    labels = [label.encode("idna" if not label.isascii() else "ascii") for label in name.rstrip(".").split(".")]
    asked = b"".join(bytes([len(label)]) + label for label in labels if 0 < len(label) < 64) + b"\x00"
    head = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 1 if extended else 0)
    return head + asked + struct.pack("!HH", TYPES[kind], 1) + (OPT if extended else b"")


def answers_to(queries: list[bytes], answer: bytes) -> bool:
    return any(answer[:2] == one[:2] for one in queries) and len(answer) >= 12 and bool(answer[2] & 0x80)
