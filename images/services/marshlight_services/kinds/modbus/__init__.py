"""Modbus over TCP: a small controller with registers that follow from the seed; what is written is told, and kept nowhere."""

from __future__ import annotations

import hashlib
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...connection import Connection

READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS = 5, 6, 15, 16
REPORT_ID, ENCAPSULATED = 17, 43
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, BUSY = 1, 2, 3, 6
REGISTERS = 512


async def talk(connection: Connection) -> None:
    while True:
        number, protocol, size, unit = struct.unpack(">HHHB", await connection.exactly(7))
        if protocol != 0 or not 2 <= size <= 254:
            connection.session.odd(struct.pack(">HHHB", number, protocol, size, unit) + bytes(connection.buffer[:64]))
            return
        request = await connection.exactly(size - 1)
        connection.session.command(words_of(unit, request))
        answer = bytes([request[0] & 0x7F | 0x80, BUSY]) if connection.busy() else answer_to(connection, request)
        connection.send(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)


def answer_to(connection: Connection, request: bytes) -> bytes:
    function = request[0]
    if function in (READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT) and len(request) == 5:
        first, count = struct.unpack(">HH", request[1:])
        bits = function in (READ_COILS, READ_DISCRETE)
        if not 1 <= count <= (2000 if bits else 125):
            return bytes([function | 0x80, ILLEGAL_VALUE])
        if first + count > REGISTERS:
            return bytes([function | 0x80, ILLEGAL_ADDRESS])
        values = [value_of(connection.persona.seed, function, at) for at in range(first, first + count)]
        if not bits:
            return bytes([function, 2 * count]) + struct.pack(f">{count}H", *values)
        packed = sum((value & 1) << at for at, value in enumerate(values)).to_bytes((count + 7) // 8, "little")
        return bytes([function, len(packed)]) + packed
    if function in (WRITE_COIL, WRITE_REGISTER) and len(request) == 5:
        return request
    if function in (WRITE_COILS, WRITE_REGISTERS) and len(request) > 6:
        return request[:5]
    service = connection.service
    if function == REPORT_ID:
        name = f"{service.text('vendor', service.product)} {service.text('productCode', service.version)}".strip()
        body = bytes([service.number("unit", 1), 0xFF]) + name.encode()[:200]
        return bytes([function, len(body)]) + body
    if function == ENCAPSULATED and request[1:2] == b"\x0e" and len(request) >= 4:
        return identity(connection, request[2])
    return bytes([function & 0x7F | 0x80, ILLEGAL_FUNCTION])


def identity(connection: Connection, level: int) -> bytes:
    service = connection.service
    objects = [
        service.text("vendor", service.product),
        service.text("productCode", service.product),
        service.text("revision", service.version),
    ]
    body = bytes([ENCAPSULATED, 0x0E, level, 1, 0, 0, len(objects)])
    for at, text in enumerate(objects):
        body += bytes([at, len(text.encode()[:64])]) + text.encode()[:64]
    return body


def value_of(seed: str, function: int, at: int) -> int:
    """Set points stay; one in eight is a measurement and moves a little with the minutes."""
    drawn = int.from_bytes(hashlib.sha256(f"{seed} {function} {at}".encode()).digest()[:4], "big")
    if drawn % 3:
        return 0
    base = drawn >> 8 & 0x0FFF
    return base + int(time.time() // 60 * (drawn >> 20) % 7) if drawn % 8 == 0 else base


def words_of(unit: int, request: bytes) -> str:
    names = {1: "read coils", 2: "read inputs", 3: "read registers", 4: "read input registers", 5: "write coil"}
    names |= {6: "write register", 15: "write coils", 16: "write registers", 17: "report id", 43: "read identity"}
    name = names.get(request[0], f"function {request[0]}")
    where = " ".join(str(word) for word in struct.unpack(">HH", request[1:5])) if len(request) >= 5 else ""
    return f"unit {unit} {name} {where}".strip()
