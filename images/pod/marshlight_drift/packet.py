"""IPv4 packets as far as drift needs them. Pure."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

TCP, UDP = 6, 17
FIN, SYN, RST, ACK = 1, 2, 4, 16
WHOLE = 1 << 32


@dataclass(frozen=True)
class Packet:
    """`source` and its `port` are the other side's, whichever way it goes; `own` is the decoy's port."""

    protocol: int
    source: str
    port: int
    own: int
    flags: int
    seq: int
    ack: int
    """Bytes of content, which may be more than what was copied of it."""
    length: int
    """Where the content begins in `raw`."""
    start: int
    raw: bytes

    @property
    def content(self) -> bytes:
        return self.raw[self.start :]


def parsed(raw: bytes, leaving: bool, whole: int = 0) -> Packet | None:
    """None for what is no TCP or UDP packet, or cut short. `whole`: its length where less was copied."""
    if len(raw) < 28 or raw[0] >> 4 != 4:
        return None
    at, protocol = (raw[0] & 15) * 4, raw[9]
    size = max(whole, len(raw))
    other = socket.inet_ntoa(raw[16:20] if leaving else raw[12:16])
    if protocol == UDP and len(raw) >= at + 8:
        first, second = struct.unpack_from("!HH", raw, at)
        own, port = (first, second) if leaving else (second, first)
        return Packet(UDP, other, port, own, 0, 0, 0, size - at - 8, at + 8, raw)
    if protocol != TCP or len(raw) < at + 20:
        return None
    first, second, seq, ack, words, flags = struct.unpack_from("!HHIIBB", raw, at)
    own, port = (first, second) if leaving else (second, first)
    start = at + (words >> 4) * 4
    return Packet(TCP, other, port, own, flags, seq, ack, max(0, size - start), start, raw)


def behind(one: int, other: int) -> int:
    """How far `one` is behind `other` on the circle of sequence numbers; negative where it is ahead."""
    distance = (other - one) % WHOLE
    return distance if distance < WHOLE // 2 else distance - WHOLE


def as_reset(packet: Packet) -> bytes:
    """The same packet as the reset that ends its connection: nothing else of it changes, so it fits where it was to go."""
    at = (packet.raw[0] & 15) * 4
    head = bytearray(packet.raw[: at + 20])
    head[at + 12], head[at + 13] = 5 << 4, RST | ACK
    # No window, no urgent bytes.
    head[at + 14 : at + 16] = head[at + 18 : at + 20] = b"\0\0"
    return summed(head)


def with_content(packet: Packet, content: bytes) -> bytes:
    """With other content of the same length."""
    return summed(bytearray(packet.raw[: packet.start]) + content)


def summed(whole: bytearray) -> bytes:
    """With its length and both checksums as they have to be (RFC 791, RFC 9293)."""
    at = (whole[0] & 15) * 4
    struct.pack_into("!H", whole, 2, len(whole))
    struct.pack_into("!H", whole, 10, 0)
    struct.pack_into("!H", whole, 10, checksum(bytes(whole[:at])))
    struct.pack_into("!H", whole, at + 16, 0)
    pseudo = bytes(whole[12:20]) + struct.pack("!BBH", 0, TCP, len(whole) - at)
    struct.pack_into("!H", whole, at + 16, checksum(pseudo + bytes(whole[at:])))
    return bytes(whole)


def checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
