"""
SMB 2 and 3 (MS-SMB2) as far as a stranger comes: negotiation, NTLM, the list of shares; log-ins are all refused.

    negotiate -> session setup (NTLM challenge) -> refused
                                               `-> nobody or guest -> IPC$ -> srvsvc: the list of shares; other shares: denied
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import time
from typing import TYPE_CHECKING

from .. import ntlm
from ..connection import Ended
from . import smb1
from .smb_pipe import Pipe

if TYPE_CHECKING:
    from ..connection import Connection

NEGOTIATE, SESSION_SETUP, LOGOFF, TREE_CONNECT, TREE_DISCONNECT, CREATE, CLOSE, READ, WRITE, IOCTL, CANCEL, ECHO = (
    *(0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13),
)
OK, MORE, PENDING_END = 0, 0xC0000016, 0xC0000011
LOGON_FAILURE, ACCESS_DENIED, INVALID, NOT_FOUND = 0xC000006D, 0xC0000022, 0xC000000D, 0xC0000034
BAD_SHARE, UNSUPPORTED, NO_SESSION, FS_DRIVER_REQUIRED = 0xC00000CC, 0xC00000BB, 0xC0000203, 0xC000019C
DIALECTS = {"2.0.2": 0x202, "2.1": 0x210, "3.0": 0x300, "3.0.2": 0x302, "3.1.1": 0x311}
ANY_DIALECT = 0x2FF
GUEST, NOBODY = 1, 2
TRANSCEIVE = 0x0011C017
LARGEST = 1 << 16


class Conversation:
    def __init__(self, connection: Connection) -> None:
        self.connection, self.service = connection, connection.service
        self.samba = "samba" in self.service.product.lower()
        self.names = ntlm.names_of(connection.persona, self.service)
        self.challenge = b""
        self.session = 0
        self.inside = False
        self.trees: dict[int, str] = {}
        self.pipes: dict[bytes, Pipe] = {}

    async def go(self) -> None:
        while True:
            kind, *size = await self.connection.exactly(4)
            length = size[0] << 16 | size[1] << 8 | size[2]
            if length > LARGEST:
                raise Ended("a packet too long")
            body = await self.connection.exactly(length) if length else b""
            if kind == 0x81:
                # RFC 1002, on port 139: whoever is called, it is this host.
                self.connection.send(b"\x82\0\0\0")
            elif kind == 0x85:
                continue
            elif body[:4] == b"\xffSMB":
                if not smb1.answer(self, body):
                    return
            elif body[:4] == b"\xfeSMB" and len(body) >= 64:
                if not self.answer(body):
                    return
            else:
                self.connection.session.odd(body[:64])
                return

    def answer(self, packet: bytes) -> bool:
        """False where the server would hang up."""
        (command,) = struct.unpack_from("<H", packet, 12)
        body = packet[64:]
        (next_at,) = struct.unpack_from("<I", packet, 20)
        if next_at:
            body = packet[64:next_at]
        if command == NEGOTIATE:
            return self.negotiate(packet, body)
        if command == SESSION_SETUP:
            return self.log_in(packet, body)
        if not self.inside:
            return self.reply(packet, NO_SESSION)
        handlers = {TREE_CONNECT: self.enter_tree, CREATE: self.open_pipe, IOCTL: self.transceive}
        handlers |= {READ: self.read_pipe, WRITE: self.write_pipe, CLOSE: self.close_pipe}
        handler = handlers.get(command)
        if handler is not None:
            done = handler(packet, body)
        elif command in (LOGOFF, TREE_DISCONNECT, ECHO):
            done = self.reply(packet, OK, struct.pack("<HH", 4, 0))
        elif command == CANCEL:
            done = True
        else:
            done = self.reply(packet, ACCESS_DENIED)
        if next_at:
            return done and self.answer(packet[next_at:])
        return done

    def negotiate(self, packet: bytes, body: bytes) -> bool:
        (count,) = struct.unpack_from("<H", body, 2)
        offered = struct.unpack_from(f"<{min(count, 64)}H", body, 36)
        highest = DIALECTS[self.service.text("dialect", "3.1.1")]
        common = [dialect for dialect in DIALECTS.values() if dialect in offered and dialect <= highest]
        if not common:
            return self.reply(packet, UNSUPPORTED)
        self.reply(packet, OK, self.offer(max(common)))
        return True

    def offer(self, dialect: int) -> bytes:
        """The body of a negotiate response."""
        name = self.connection.persona.hostname.encode()[:15]
        drawn = hashlib.sha256(f"{self.connection.persona.seed} smb".encode()).digest()[:16]
        # Samba's unique id is its name, padded; Windows draws one when it is installed.
        unique = name.ljust(16, b"\0") if self.samba else drawn
        required = self.service.flag("signingRequired")
        capabilities = 1 if dialect == 0x202 else 7
        most = 0x10000 if dialect == 0x202 else 0x800000
        token = ntlm.mechanisms(self.names, self.samba)
        contexts = b""
        if dialect == 0x311:
            contexts = context(1, struct.pack("<HHH", 1, 32, 1) + secrets.token_bytes(32))
            contexts += context(2, struct.pack("<HH", 1, 2))
            if self.samba:
                contexts += context(8, struct.pack("<HH", 1, 2))
        padding = -(64 + 64 + len(token)) % 8 if contexts else 0
        at = 128 + len(token) + padding if contexts else 0
        count = (3 if self.samba else 2) if contexts else 0
        now = ntlm.file_time(time.time())
        head = struct.pack("<HHHH", 65, 3 if required else 1, dialect, count) + unique
        head += struct.pack("<IIIIQQHHI", capabilities, most, most, most, now, 0, 128, len(token), at)
        return head + token + b"\0" * padding + contexts

    def log_in(self, packet: bytes, body: bytes) -> bool:
        at, size = struct.unpack_from("<HH", body, 12)
        token = packet[at : at + size]
        if ntlm.kind_of(token) == 1:
            message, self.challenge = ntlm.challenge_of(token, self.names, self.samba)
            wrapped = token[:1] in (b"\x60", b"\xa0", b"\xa1")
            self.session = self.session or secrets.randbits(31 if self.samba else 46) | 1
            blob = ntlm.wrapped(message) if wrapped else message
            return self.reply(packet, MORE, struct.pack("<HHHH", 9, 0, 72, len(blob)) + blob)
        login = ntlm.login_of(token, self.challenge) if self.challenge else None
        if login is None:
            self.connection.session.odd(token[:64])
            return self.reply(packet, INVALID)
        if login.anonymous or self.service.flag("guest"):
            self.inside = True
            told = {} if login.anonymous else login.told()
            self.connection.session.accepted_login(login.user or "anonymous", None, **told)
            flags = NOBODY if login.anonymous and not self.service.flag("guest") else GUEST
            blob = ntlm.COMPLETED
            return self.reply(packet, OK, struct.pack("<HHHH", 9, flags, 72, len(blob)) + blob)
        self.connection.session.refused_login(login.user, None, **login.told())
        return self.reply(packet, LOGON_FAILURE)

    def enter_tree(self, packet: bytes, body: bytes) -> bool:
        at, size = struct.unpack_from("<HH", body, 4)
        path = packet[at : at + size].decode("utf-16le", "replace")
        share = path.rpartition("\\")[2]
        self.connection.session.command(f"tree connect {path}")
        if share.upper() == "IPC$":
            number = secrets.randbits(30) | 1
            self.trees[number] = share
            return self.reply(packet, OK, struct.pack("<HBBIII", 16, 2, 0, 0x30, 0, 0x1F00A9), tree=number)
        known = any(name.upper() == share.upper() for name, _ in self.shares())
        return self.reply(packet, ACCESS_DENIED if known else BAD_SHARE)

    def shares(self) -> list[tuple[str, str]]:
        pieces = (piece.partition("=") for piece in self.service.text("shares").split(";"))
        shares = [(name.strip(), comment.strip()) for name, _, comment in pieces if name.strip()]
        return shares if self.samba else [("ADMIN$", "Remote Admin"), ("C$", "Default share"), *shares]

    def comment(self) -> str:
        """Samba's default server string is its name and version."""
        return f"IPC Service (Samba {self.service.version})" if self.samba else "Remote IPC"

    def open_pipe(self, packet: bytes, body: bytes) -> bool:
        at, size = struct.unpack_from("<HH", body, 44)
        name = packet[at : at + size].decode("utf-16le", "replace").lstrip("\\")
        self.connection.session.command(f"open {name}")
        if name.lower() != "srvsvc" or len(self.pipes) >= 16:
            return self.reply(packet, NOT_FOUND)
        handle = secrets.token_bytes(16)
        allowed = self.service.flag("guest") or self.samba
        self.pipes[handle] = Pipe(self.shares() if allowed else None, self.comment())
        times = b"\0" * 32
        answer = struct.pack("<HBBI", 89, 0, 0, 1) + times + struct.pack("<QQII", 0, 0, 0x80, 0) + handle
        return self.reply(packet, OK, answer + struct.pack("<II", 0, 0))

    def transceive(self, packet: bytes, body: bytes) -> bool:
        (code,) = struct.unpack_from("<I", body, 4)
        handle = body[8:24]
        at, size = struct.unpack_from("<II", body, 24)
        pipe = self.pipes.get(handle)
        if code != TRANSCEIVE or pipe is None:
            return self.reply(packet, FS_DRIVER_REQUIRED if self.samba else INVALID)
        pipe.write(packet[at : at + size])
        answer = pipe.read(LARGEST)
        head = struct.pack("<HHI", 49, 0, code) + handle + struct.pack("<IIIIII", 112, 0, 112, len(answer), 0, 0)
        return self.reply(packet, OK, head + answer)

    def write_pipe(self, packet: bytes, body: bytes) -> bool:
        at, size = struct.unpack_from("<HI", body, 2)
        pipe = self.pipes.get(body[16:32])
        if pipe is None:
            return self.reply(packet, ACCESS_DENIED)
        pipe.write(packet[at : at + size])
        return self.reply(packet, OK, struct.pack("<HHIIHH", 17, 0, size, 0, 0, 0))

    def read_pipe(self, packet: bytes, body: bytes) -> bool:
        (most,) = struct.unpack_from("<I", body, 4)
        pipe = self.pipes.get(body[16:32])
        data = pipe.read(min(most, LARGEST)) if pipe else b""
        if not data:
            return self.reply(packet, PENDING_END)
        return self.reply(packet, OK, struct.pack("<HBBIII", 17, 80, 0, len(data), 0, 0) + data)

    def close_pipe(self, packet: bytes, body: bytes) -> bool:
        self.pipes.pop(body[8:24], None)
        return self.reply(packet, OK, struct.pack("<HHI", 60, 0, 0) + b"\0" * 52)

    def reply(self, packet: bytes, status: int, body: bytes | None = None, tree: int | None = None) -> bool:
        charge, command = struct.unpack_from("<H", packet, 6)[0], struct.unpack_from("<H", packet, 12)[0]
        (credits,) = struct.unpack_from("<H", packet, 14)
        number, process, own_tree = struct.unpack_from("<QII", packet, 24)
        head = b"\xfeSMB" + struct.pack("<HHIHH", 64, charge, status, command, max(1, min(credits, 33)))
        head += struct.pack("<IIQIIQ", 1, 0, number, process if command else 0, own_tree if tree is None else tree, self.session)
        self.send(head + b"\0" * 16 + (body if body is not None else struct.pack("<HHIB", 9, 0, 0, 0)))
        return True

    def send(self, message: bytes) -> None:
        self.connection.send(struct.pack(">I", len(message)) + message)


def context(kind: int, data: bytes) -> bytes:
    return struct.pack("<HHI", kind, len(data), 0) + data + b"\0" * (-len(data) % 8)


async def talk(connection: Connection) -> None:
    try:
        await Conversation(connection).go()
    except struct.error:
        connection.session.odd("a packet that ends too early")
