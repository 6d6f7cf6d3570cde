"""The pieces of BER and DER (X.690) that certificates, SPNEGO, CredSSP and SNMP are made of."""

from __future__ import annotations

SEQUENCE, SET, INTEGER, OCTETS, NULL, OID = 0x30, 0x31, 0x02, 0x04, 0x05, 0x06


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def integer(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=value < 0))


def octets(value: bytes) -> bytes:
    return tlv(OCTETS, value)


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = bytearray()
    for number in (first * 40 + second, *rest):
        piece = [number & 0x7F]
        while number := number >> 7:
            piece.append(0x80 | number & 0x7F)
        body += bytes(reversed(piece))
    return tlv(OID, bytes(body))


def read(data: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """Tag, content and where the next begins. Raises ValueError where the data end too early."""
    if at + 2 > len(data):
        raise ValueError("ends within a head")
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or at + count > len(data):
            raise ValueError("a length that cannot be")
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    if at + size > len(data):
        raise ValueError("ends within a value")
    return tag, data[at : at + size], at + size


def parts(data: bytes) -> list[tuple[int, bytes]]:
    """All values that stand one after another."""
    found, at = [], 0
    while at < len(data):
        tag, content, at = read(data, at)
        found.append((tag, content))
    return found


def dotted(content: bytes) -> str:
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = numbers[0] if numbers else 0
    head = min(first // 40, 2)
    return ".".join(str(part) for part in (head, first - head * 40, *numbers[1:]))
