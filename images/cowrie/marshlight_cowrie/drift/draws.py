"""
Chance by what it is about, where an answer must be the same when it is asked for twice: contents of a file, numbers of a
command. What is drawn answer after answer comes of `marshlight_common.drift.Draws`.
"""

from __future__ import annotations

from hashlib import blake2b


def fraction(*about: object) -> float:
    """Above 0 and below 1."""
    text = "\0".join(map(str, about)).encode("utf-8", "surrogateescape")
    return ((int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 11) + 0.5) / 2**53
