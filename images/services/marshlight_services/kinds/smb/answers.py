"""Answers of SMB 2: their heads, several in one packet, and what is answered later."""

from __future__ import annotations

import struct

from .tree import OK, PENDING

MORE, CLEANED_UP, CANCELLED = 0xC0000016, 0x10B, 0xC0000120
NEGOTIATE = 0
RELATED, ASYNCHRONOUS = 4, 2
MOST_WAITING = 16
MOST_CREDITS = 33


class Answers:
    def send(self, message: bytes) -> None:
        raise NotImplementedError

    def __init__(self) -> None:
        self.session = 0
        # Of the packet that is being answered: the answers so far, and the last status.
        self.answers: list[bytes] = []
        self.status = OK
        # Requests that wait for changes, by the number they were told. Nothing here ever changes.
        self.waiting: dict[int, bytes] = {}
        self.drawn = 0

    def begin(self) -> None:
        self.answers, self.status = [], OK

    def reply(
        self, packet: bytes, status: int, body: bytes | None = None, tree: int | None = None, waiting: int | None = None
    ) -> bool:
        charge, command = struct.unpack_from("<H", packet, 6)[0], struct.unpack_from("<H", packet, 12)[0]
        (credits,) = struct.unpack_from("<H", packet, 14)
        number, process, own_tree = struct.unpack_from("<QII", packet, 24)
        flags = 1 | (RELATED if self.answers and is_related(packet) else 0)
        place = struct.pack("<II", process if command else 0, own_tree if tree is None else tree)
        given = max(1, min(credits, MOST_CREDITS))
        if command == NEGOTIATE or status == MORE:
            # More than one request at a time is for those who are in.
            given = 1
        if status == PENDING and len(self.waiting) < MOST_WAITING:
            waiting = self.drawn = self.drawn + 1
            self.waiting[waiting] = packet
        if waiting is not None:
            flags, place = flags | ASYNCHRONOUS, struct.pack("<Q", waiting)
            # Those of the request itself were given when it was told to wait.
            given = given if status == PENDING else 0
        head = b"\xfeSMB" + struct.pack("<HHIHH", 64, charge, status, command, given)
        head += struct.pack("<IIQ", flags, 0, number) + place + struct.pack("<Q", self.session) + b"\0" * 16
        failed = struct.pack("<HHIB", 9, 0, 0, 0x21 if status == PENDING else 0)
        self.status = status
        self.answers.append(head + (failed if body is None else body))
        return True

    def cancel(self, packet: bytes) -> bool:
        (waiting,) = struct.unpack_from("<Q", packet, 32)
        asked = self.waiting.pop(waiting, None)
        return True if asked is None else self.reply(asked, CANCELLED, waiting=waiting)

    def end_waiting(self, tree: int) -> None:
        """Whoever waits for changes in a tree that is left is told so, in a packet of its own."""
        before = self.answers
        for waiting, asked in list(self.waiting.items()):
            if struct.unpack_from("<I", asked, 36)[0] == tree:
                del self.waiting[waiting]
                self.begin()
                self.reply(asked, CLEANED_UP, waiting=waiting)
                self.flush()
        self.answers = before

    def flush(self) -> None:
        """What was answered to one packet, each part but the last with the way to the next (MS-SMB2, 3.3.4.1.3)."""
        if not self.answers:
            return
        whole = self.answers[0]
        if len(self.answers) > 1:
            parts = [part + b"\0" * (-len(part) % 8) for part in self.answers]
            credits = sum(struct.unpack_from("<H", part, 14)[0] for part in parts)
            whole = b""
            for at, part in enumerate(parts):
                last = at + 1 == len(parts)
                granted, way = struct.pack("<H", credits if last else 0), struct.pack("<I", 0 if last else len(part))
                whole += part[:14] + granted + part[16:20] + way + part[24:]
        self.answers = []
        self.send(whole)


def is_related(packet: bytes) -> bool:
    """Whether a request builds on the one before it in the same packet."""
    return bool(struct.unpack_from("<I", packet, 16)[0] & RELATED)
