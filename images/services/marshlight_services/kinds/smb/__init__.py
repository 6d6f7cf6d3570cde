"""
SMB 2 and 3 (MS-SMB2) as far as a stranger comes: negotiation, NTLM, shares; log-ins with a name of this host are refused.

    negotiate -> session setup (NTLM challenge) -> refused
                                               `-> nobody or guest -> IPC$: the list of shares (smb_pipes.py)
                                                                  `-> a share that has a folder: its files (smb_files.py)
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import time
from typing import TYPE_CHECKING

from ... import ntlm
from ...connection import Ended
from . import first as smb1
from . import info
from .answers import Answers, is_related
from .files import Files
from .info import OF_SHARE
from .pipe import Pipe
from .pipes import Pipes
from .share import pairs, share_of
from .tree import ACCESS_DENIED, CANCEL, CREATE, INVALID, OK, Tree, context

if TYPE_CHECKING:
    from ...connection import Connection

NEGOTIATE, SESSION_SETUP, LOGOFF, TREE_CONNECT, TREE_DISCONNECT, ECHO = 0, 1, 2, 3, 4, 13
MORE, LOGON_FAILURE, BAD_SHARE, UNSUPPORTED = 0xC0000016, 0xC000006D, 0xC00000CC, 0xC00000BB
NO_TREE, NO_SESSION, TOO_MANY_TREES = 0xC00000C9, 0xC0000203, 0xC0000205
LAST_OPENED = b"\xff" * 16
MOST_TREES = 16
DIALECTS = {"2.0.2": 0x202, "2.1": 0x210, "3.0": 0x300, "3.0.2": 0x302, "3.1.1": 0x311}
ANY_DIALECT = 0x2FF
GUEST, NOBODY = 1, 2
LARGEST = 1 << 17


class Conversation(Answers):
    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection, self.service = connection, connection.service
        self.samba = "samba" in self.service.product.lower()
        self.names = ntlm.names_of(connection.persona, self.service)
        self.challenge = b""
        self.inside = False
        self.trees: dict[int, Tree] = {}
        self.handle, self.tree = LAST_OPENED, 0

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
        """All requests of one packet, in one answer as they came in one. False where the server would hang up."""
        self.begin()
        self.handle = LAST_OPENED
        goes_on, rest = True, packet
        while goes_on and len(rest) >= 64:
            (next_at,) = struct.unpack_from("<I", rest, 20)
            goes_on = self.answer_one(rest[:next_at] if next_at else rest)
            rest = rest[next_at:] if next_at else b""
        self.flush()
        return goes_on

    def answer_one(self, packet: bytes) -> bool:
        (command,) = struct.unpack_from("<H", packet, 12)
        body = packet[64:]
        if command == NEGOTIATE:
            return self.negotiate(packet, body)
        if command == SESSION_SETUP:
            return self.log_in(packet, body)
        if not self.inside:
            return self.reply(packet, NO_SESSION)
        if command == CANCEL:
            return self.cancel(packet)
        if command == TREE_CONNECT:
            return self.enter_tree(packet, body)
        if command in (LOGOFF, TREE_DISCONNECT, ECHO):
            if command == TREE_DISCONNECT:
                self.leave(self.number_of(packet))
            return self.reply(packet, OK, struct.pack("<HH", 4, 0))
        tree = self.trees.get(self.number_of(packet))
        if tree is None:
            return self.reply(packet, NO_TREE)
        if self.answers and self.status != OK and is_related(packet):
            # What builds on a request that failed has failed for the same reason.
            return self.reply(packet, self.status)
        body = body.replace(LAST_OPENED, self.handle, 1) if is_related(packet) else body
        status, told = tree.answer(command, packet, body)
        if command == CREATE and status == OK and told:
            self.handle = told[64:80]
        return self.reply(packet, status, told)

    def number_of(self, packet: bytes) -> int:
        """Of the tree; a request that goes with the one before it may leave it out."""
        number = int(struct.unpack_from("<I", packet, 36)[0])
        self.tree = self.tree if is_related(packet) and number == 0xFFFFFFFF else number
        return self.tree

    def leave(self, number: int) -> None:
        tree = self.trees.pop(number, None)
        if tree is not None:
            self.end_waiting(number)
            tree.close()

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
        # As Samba's `map to guest = bad user`: people of this host need their password; root has none for Samba.
        stranger = login.user.lower() not in map(str.lower, self.connection.persona.people)
        if login.anonymous or (self.service.flag("guest") and stranger):
            self.inside = True
            told = {} if login.anonymous else login.told()
            self.connection.session.accepted_login(login.user or "anonymous", None, **told)
            flags = NOBODY if login.anonymous and not self.service.flag("guest") else GUEST
            blob = ntlm.COMPLETED if token[:1] in (b"\x60", b"\xa0", b"\xa1") else b""
            return self.reply(packet, OK, struct.pack("<HHHH", 9, flags, 72, len(blob)) + blob)
        self.connection.session.refused_login(login.user, None, **login.told())
        return self.reply(packet, LOGON_FAILURE)

    def enter_tree(self, packet: bytes, body: bytes) -> bool:
        at, size = struct.unpack_from("<HH", body, 4)
        path = packet[at : at + size].decode("utf-16le", "replace")
        share = path.rpartition("\\")[2]
        self.connection.session.command(f"tree connect {path}")
        made = self.tree_of(share)
        if isinstance(made, int):
            return self.reply(packet, made)
        if len(self.trees) >= MOST_TREES:
            return self.reply(packet, TOO_MANY_TREES)
        number = secrets.randbits(30) | 1
        self.trees[number] = made
        # Offline copies are a matter of files, and Samba's IPC$ says nothing of them either.
        flags = 0 if self.samba or isinstance(made, Files) else 0x30
        kind = 1 if isinstance(made, Files) else 2
        return self.reply(packet, OK, struct.pack("<HBBIII", 16, kind, 0, flags, 0, OF_SHARE), tree=number)

    def tree_of(self, share: str) -> Tree | int:
        """What a guest gets by that name: a tree, or why he gets none."""
        session = self.connection.session
        if share.upper() == "IPC$":
            allowed = self.service.flag("guest") or self.samba
            listed = self.shares() if allowed else None
            return Pipes(self.samba, lambda: Pipe(listed, self.comment()), session.command)
        name = next((name for name, _ in self.shares() if name.upper() == share.upper()), None)
        if name is None:
            return BAD_SHARE
        folder = pairs(self.service.text("folders")).get(name)
        if folder is None or not self.service.flag("guest"):
            return ACCESS_DENIED
        persona = self.connection.persona

        def of_volume(level: int) -> bytes | None:
            version = self.service.version if self.samba else None
            return info.of_volume(level, name, persona.seed, persona.booted_at, version)

        def tell(method: str, path: str, **more: object) -> None:
            session.tell("request", method=method, url=path, **more)

        return Files(name, share_of(persona, folder), of_volume, tell)

    def shares(self) -> list[tuple[str, str]]:
        shares = list(pairs(self.service.text("shares")).items())
        return shares if self.samba else [("ADMIN$", "Remote Admin"), ("C$", "Default share"), *shares]

    def comment(self) -> str:
        """Samba's default server string is its name and version."""
        return f"IPC Service (Samba {self.service.version})" if self.samba else "Remote IPC"

    def send(self, message: bytes) -> None:
        self.connection.send(struct.pack(">I", len(message)) + message)


async def talk(connection: Connection) -> None:
    conversation = Conversation(connection)
    try:
        await conversation.go()
    except struct.error:
        connection.session.odd("a packet that ends too early")
    finally:
        for number in list(conversation.trees):
            conversation.leave(number)
