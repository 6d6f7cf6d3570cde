"""The MODP groups of RFC 3526 and RFC 2409, computed, and groups of a moduli file as OpenSSH picks them."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

# p = 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + k), by bits: k.
OAKLEY_GROUPS = {1024: 129093, 2048: 124476, 4096: 240904, 8192: 4743158}
LEAST_BITS, MOST_BITS = 2048, 8192


@cache
def oakley_prime(bits: int) -> int:
    return 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (floor_of_pi(bits - 130) + OAKLEY_GROUPS[bits])


def floor_of_pi(bits: int) -> int:
    """floor(2^bits * pi), by Machin's formula with 64 guard bits."""
    one = 1 << (bits + 64)

    def arctan_of_inverse(x: int) -> int:
        total = term = one // x
        odd, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // odd)
            odd, sign = odd + 2, -sign
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 64


@cache
def moduli(path: Path) -> dict[int, list[tuple[int, int]]]:
    """moduli(5): {bits: [(generator, prime)]}."""
    found: dict[int, list[tuple[int, int]]] = {}
    for line in path.read_text().splitlines():
        fields = line.split()
        if len(fields) == 7 and not line.startswith("#"):
            prime = int(fields[6], 16)
            found.setdefault(prime.bit_length(), []).append((int(fields[5], 16), prime))
    return found


def exchange_group(path: Path, least: int, wanted: int, most: int) -> tuple[int, int] | None:
    """
    RFC 4419: (generator, prime), of the smallest size that is enough, else the largest one allowed; None for limits
    that contradict each other. Sizes below 2048 are never given, whoever asks.
    """
    if most < least or wanted < least or most < wanted:
        return None
    least, wanted, most = max(LEAST_BITS, least), min(MOST_BITS, max(LEAST_BITS, wanted)), min(MOST_BITS, most)
    sizes = [bits for bits in moduli(path) if least <= bits <= most]
    if most < least or not sizes:
        return (2, oakley_prime(fallback_bits(wanted))) if most >= least else None
    best = min((bits for bits in sizes if bits >= wanted), default=max(sizes))
    return secrets.choice(moduli(path)[best])


def fallback_bits(most: int) -> int:
    return 2048 if most < 3072 else 4096 if most < 6144 else 8192
