"""The decoy's own address and MAC, from the interface of the pod."""

from __future__ import annotations

import fcntl
import socket
import struct

SIOCGIFADDR = 0x8915
SIOCGIFHWADDR = 0x8927


def interface() -> str | None:
    return next((name for _, name in socket.if_nameindex() if name != "lo"), None)


def asked(request: int) -> bytes | None:
    name = interface()
    if name is None:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            return fcntl.ioctl(probe, request, struct.pack("256s", name.encode()[:15]))
        except OSError:
            return None


def address() -> str:
    answer = asked(SIOCGIFADDR)
    return socket.inet_ntoa(answer[20:24]) if answer else "127.0.0.1"


def mac() -> str:
    answer = asked(SIOCGIFHWADDR)
    return ":".join(f"{byte:02x}" for byte in answer[18:24]) if answer else "00:00:00:00:00:00"


def link_local() -> str:
    """The IPv6 address that a Linux host derives from this MAC (RFC 4291, appendix A)."""
    first, *rest = (int(part, 16) for part in mac().split(":"))
    eui = [first ^ 2, rest[0], rest[1], 0xFF, 0xFE, *rest[2:]]
    words = [f"{eui[at] << 8 | eui[at + 1]:x}" for at in range(0, 8, 2)]
    return f"fe80::{':'.join(words)}/64"
