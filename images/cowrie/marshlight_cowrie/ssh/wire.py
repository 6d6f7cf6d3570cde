"""The data types of RFC 4251, section 5."""

from __future__ import annotations

import struct


class Unreadable(Exception):
    """A message that cannot be what its number says; OpenSSH ends the connection without a word."""


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def names(of: list[bytes]) -> bytes:
    return string(b",".join(of))


def mpint(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


def read_string(data: bytes) -> tuple[bytes, bytes]:
    """(the string, what follows)."""
    if len(data) < 4:
        raise Unreadable("a string without its length")
    length = int(struct.unpack_from(">I", data)[0])
    if len(data) < 4 + length:
        raise Unreadable(f"a string of {length} bytes, {len(data) - 4} there")
    return data[4 : 4 + length], data[4 + length :]


def read_c_string(data: bytes) -> tuple[bytes, bytes]:
    """A text that ends at its NUL, of which there may be one, at the end."""
    text, rest = read_string(data)
    if b"\0" in text[:-1]:
        raise Unreadable("a text with a NUL in it")
    return text.removesuffix(b"\0"), rest


def read_strings(data: bytes, count: int) -> tuple[list[bytes], bytes]:
    found = []
    for _ in range(count):
        one, data = read_string(data)
        found.append(one)
    return found, data


def read_mpint(data: bytes) -> tuple[int, bytes]:
    raw, rest = read_string(data)
    value = int.from_bytes(raw, "big", signed=True)
    if value < 0 or len(raw) > 1025:
        raise Unreadable("a negative or far too large number")
    return value, rest


def read_numbers(data: bytes, count: int) -> tuple[tuple[int, ...], bytes]:
    if len(data) < 4 * count:
        raise Unreadable(f"{len(data)} bytes, {count} numbers wanted")
    return struct.unpack_from(f">{count}I", data), data[4 * count :]


def read_flag(data: bytes) -> tuple[bool, bytes]:
    if not data:
        raise Unreadable("no flag")
    return data[0] != 0, data[1:]
