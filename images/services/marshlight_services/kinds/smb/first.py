"""SMB 1 (MS-CIFS): how newer servers lead clients on to SMB 2, and what old ones tell of themselves."""

from __future__ import annotations

import secrets
import struct
import time
from typing import TYPE_CHECKING

from ...ntlm import Login, file_time

if TYPE_CHECKING:
    from . import Conversation

NEGOTIATE, SESSION_SETUP, TREE_CONNECT, LOGOFF = 0x72, 0x73, 0x75, 0x74
LOGON_FAILURE, ACCESS_DENIED, NOT_IMPLEMENTED = 0xC000006D, 0xC0000022, 0xC0000002
MODERN, NEXT = b"SMB 2.???", b"SMB 2.002"
UNICODE = 0x8000


def answer(conversation: Conversation, packet: bytes) -> bool:
    """False where the server would hang up."""
    if len(packet) < 35:
        return False
    command = packet[4]
    if command == NEGOTIATE:
        return negotiate(conversation, packet)
    if not conversation.service.flag("smb1"):
        return False
    if command == SESSION_SETUP:
        return log_in(conversation, packet)
    send(conversation, packet, ACCESS_DENIED if command == TREE_CONNECT else NOT_IMPLEMENTED)
    return True


def negotiate(conversation: Conversation, packet: bytes) -> bool:
    (size,) = struct.unpack_from("<H", packet, 33)
    dialects = [piece.rstrip(b"\0") for piece in packet[35 : 35 + size].split(b"\x02") if piece]
    if MODERN in dialects or NEXT in dialects:
        from . import ANY_DIALECT, DIALECTS

        head = b"\xfeSMB" + struct.pack("<HHIHH", 64, 0, 0, 0, 1) + b"\x01\0\0\0" + b"\0" * 48
        conversation.send(head + conversation.offer(ANY_DIALECT if MODERN in dialects else DIALECTS["2.0.2"]))
        return True
    if not conversation.service.flag("smb1"):
        conversation.connection.session.odd("SMB 1 only")
        if conversation.samba:
            # No dialect of these; Windows hangs up instead.
            send(conversation, packet, 0, struct.pack("<BHH", 1, 0xFFFF, 0), flags=0x88)
        return conversation.samba
    number = dialects.index(b"NT LM 0.12") if b"NT LM 0.12" in dialects else 0
    capabilities, most = (0x0080F3FD, 16644) if conversation.samba else (0x0001E3FC, 4356)
    now = file_time(time.time())
    conversation.challenge = secrets.token_bytes(8)
    words = struct.pack("<BHBHHIIII", 17, number, 3, 50, 1, most, 65536, 0, capabilities)
    words += struct.pack("<QhB", now, 0, 8)
    names = conversation.challenge + wide(conversation.names.domain) + wide(conversation.names.computer)
    send(conversation, packet, 0, words + struct.pack("<H", len(names)) + names, flags=0x88)
    return True


def log_in(conversation: Conversation, packet: bytes) -> bool:
    words = packet[32]
    if words != 13 or len(packet) < 62:
        send(conversation, packet, NOT_IMPLEMENTED)
        return True
    plain, unicode = struct.unpack_from("<HH", packet, 47)
    at = 33 + 26 + 2
    older, response = packet[at : at + plain], packet[at + plain : at + plain + unicode]
    rest = packet[at + plain + unicode :]
    user, domain = texts(rest, unicode_at=(at + plain + unicode) % 2, wide_text=bool(flags2(packet) & UNICODE))
    if user == "":
        service, names = conversation.service, conversation.names
        conversation.connection.session.accepted_login("anonymous")
        told = wide(service.text("nativeOs", f"{service.product} {service.version}"))
        told += wide(service.text("nativeLanMan", service.product)) + wide(names.domain)
        body = struct.pack("<BBBHH", 3, 0xFF, 0, 0, 1) + struct.pack("<H", len(told) + 1) + b"\0" + told
        send(conversation, packet, 0, body, user=2048)
        return True
    login = Login(user, domain, "", conversation.challenge.hex(), (response or older).hex(), older.hex())
    conversation.connection.session.refused_login(user, None, **login.told())
    send(conversation, packet, LOGON_FAILURE)
    return True


def texts(data: bytes, unicode_at: int, wide_text: bool) -> tuple[str, str]:
    if not wide_text:
        user, _, rest = data.partition(b"\0")
        return user.decode("latin-1"), rest.partition(b"\0")[0].decode("latin-1")
    words = data[unicode_at:].decode("utf-16le", "replace").split("\0")
    return words[0] if words else "", words[1] if len(words) > 1 else ""


def flags2(packet: bytes) -> int:
    return int(struct.unpack_from("<H", packet, 10)[0])


def wide(text: str) -> bytes:
    return text.encode("utf-16le") + b"\0\0"


def send(
    conversation: Conversation,
    packet: bytes,
    status: int,
    body: bytes = b"\0\0\0",
    flags: int = 0x98,
    user: int = 0,
) -> None:
    head = b"\xffSMB" + packet[4:5] + struct.pack("<IBH", status, flags, flags2(packet))
    head += packet[12:28] + struct.pack("<H", user or struct.unpack_from("<H", packet, 28)[0]) + packet[30:32]
    conversation.send(head + body)
