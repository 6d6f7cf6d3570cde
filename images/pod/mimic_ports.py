"""
Ports that conversations leave from: of several instances each has those that leave its number when divided by how many there
are, so that who looks at packets knows whose they are. They are drawn from the system's own range.
"""

from __future__ import annotations

import random
import socket

RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
TRIES = 16
# Of a process, and never from a seed: two runs of a decoy do not come from the same ports.
chance = random.SystemRandom()


def leave_from(made: socket.socket, instance: int, of: int) -> None:
    """Where none of its own is free the system chooses: a conversation is worth more than its count."""
    if of < 2:
        return
    with open(RANGE) as file:
        low, high = (int(number) for number in file.read().split())
    first = low + (instance - low) % of
    for _ in range(TRIES):
        try:
            return made.bind(("", first + of * chance.randrange((high - first) // of + 1)))
        except OSError:
            continue
