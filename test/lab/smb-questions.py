"""
Asks an SMB 2 server what a guest may ask of a share, right and wrong, and prints each answer: `HOST PORT SHARE`.

What differs between two servers of one kind is left out: handles, numbers and times of files, sizes of the volume, and
the order in which a folder is listed.
"""

from __future__ import annotations

import re
import socket
import struct
import sys

NEGOTIATE, SETUP, TREE, LEAVE, CREATE, CLOSE, FLUSH, READ, WRITE, LOCK, IOCTL, ECHO, LIST, NOTIFY, QUERY, SET, BREAK = (
    *(0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18),
)
READING, FOLDER, ALL_WRITING = 0x120089, 0x100081, 0x12019F
LAST = b"\xff" * 16
PENDING, LATER = 0x103, 2
# By kind of entry in a listing: where its name begins, and the file's number.
ENTRIES = {1: (64, 0), 2: (68, 0), 3: (94, 0), 12: (12, 0), 37: (104, 96), 38: (80, 72)}
# From and to, of what only this server has.
OWN = {
    "file 6": (8, 16), "file 18": (72, 80), "folder 18": (72, 80), "volume 1": (16, 20), "volume 3": (8, 24),
    "volume 7": (8, 32), "volume 8": (8, 24),
}


def wide(text: str) -> bytes:
    return text.encode("utf-16le")


class Client:
    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.settimeout(20)
        self.number = self.session = self.tree = 0
        self.pending: dict[int, int] = {}

    def packet(self, command: int, body: bytes, related: bool) -> bytes:
        head = b"\xfeSMB" + struct.pack("<HHIHHII", 64, 1, 0, command, 31, 4 if related else 0, 0)
        head += struct.pack("<QIIQ16x", self.number, 0xFEFF, self.tree, self.session)
        self.number += 1
        return head + body

    def ask(self, *requests: tuple[int, bytes]) -> list[bytes]:
        whole = b""
        for at, (command, body) in enumerate(requests):
            one = self.packet(command, body, at > 0)
            if at + 1 < len(requests):
                one += b"\0" * (-len(one) % 8)
                one = one[:20] + struct.pack("<I", len(one)) + one[24:]
            whole += one
        self.socket.sendall(struct.pack(">I", len(whole)) + whole)
        answers: list[bytes] = []
        while len(answers) < len(requests):
            answers += filter(None, map(self.at_once, self.answers()))
        return answers

    def at_once(self, answer: bytes) -> bytes | None:
        """
        The answer as one that did not keep its asker waiting. Whether a server says "pending" first, with the credits,
        is chance: Samba does where a disk is slow (MS-SMB2 3.3.4.2).
        """
        (status, command, credits, flags) = struct.unpack_from("<IHHI", answer, 8)
        (number,) = struct.unpack_from("<Q", answer, 24)
        # Who asks to be told of changes waits by what they asked.
        if command == NOTIFY or not flags & LATER:
            return answer
        if status == PENDING:
            self.pending[number] = credits
            return None
        return answer[:14] + struct.pack("<HI", self.pending.pop(number, credits), flags & ~LATER) + answer[20:]

    def answers(self) -> list[bytes]:
        rest = self.exactly(struct.unpack(">I", self.exactly(4))[0])
        found = []
        while rest:
            (next_at,) = struct.unpack_from("<I", rest, 20)
            found.append(rest[:next_at] if next_at else rest)
            rest = rest[next_at:] if next_at else b""
        return found

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def enter(self, host: str, share: str) -> None:
        offer = struct.pack("<HHHHI16sQH", 36, 1, 1, 0, 0x7F, b"C" * 16, 0, 0x210)
        self.show("negotiate", self.ask((NEGOTIATE, offer)), 0)
        hello = b"NTLMSSP\0" + struct.pack("<II16x", 1, 0x201)
        answer = self.ask((SETUP, self.token(hello)))
        self.session = struct.unpack_from("<Q", answer[0], 40)[0]
        name = wide("visitor")
        fields = ((24, 64), (24, 88), (0, 64), (len(name), 112), (0, 64), (0, 64))
        proof = b"NTLMSSP\0" + struct.pack("<I", 3) + b"".join(struct.pack("<HHI", n, n, at) for n, at in fields)
        proof += struct.pack("<I", 0x201) + b"\1" * 24 + b"\2" * 24 + name
        self.show("log-in", self.ask((SETUP, self.token(proof))))
        answer = self.ask((TREE, self.path(host, share)))
        self.tree = struct.unpack_from("<I", answer[0], 36)[0]
        self.show("share", answer)

    def token(self, data: bytes) -> bytes:
        return struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(data), 0) + data

    def path(self, host: str, share: str) -> bytes:
        path = wide(f"\\\\{host}\\{share}")
        return struct.pack("<HHHH", 9, 0, 72, len(path)) + path

    def open(self, name: str, access: int = READING, disposition: int = 1, options: int = 0) -> bytes:
        answer = self.ask((CREATE, create(name, access, disposition, options)))
        return answer[0][128:144]

    def show(self, label: str, answers: list[bytes], most: int = 600) -> None:
        for answer in answers:
            (status, _, credits, flags) = struct.unpack_from("<IHHI", answer, 8)
            body = bytearray(answer[64:])
            if body[:1] == b"\x59":
                body[64:80] = b"H" * 16
            for at in range(*OWN.get(label, (0, 0))):
                body[at] = 0xEE
            print(label, f"{status:x} {flags} {credits}", masked(bytes(body))[: 2 * most])

    def try_all(self, label: str, *requests: tuple[int, bytes]) -> None:
        self.show(label, self.ask(*requests))

    def listed(self, label: str, handle: bytes, level: int, pattern: str = "*") -> None:
        (answer,) = self.ask((LIST, listing(handle, level, pattern)))
        status = struct.unpack_from("<I", answer, 8)[0]
        rows, rest = [], answer[72:] if status == 0 else b""
        name_at, number_at = ENTRIES[level]
        while rest:
            (next_at,) = struct.unpack_from("<I", rest)
            size = struct.unpack_from("<I", rest, 8 if level == 12 else 60)[0]
            row = bytearray(rest[8 : name_at + size])
            if number_at:
                row[number_at - 8 : number_at] = b"N" * 8
            rows.append(masked(bytes(row)))
            rest = rest[next_at:] if next_at else b""
        print(label, f"{status:x}", *sorted(rows), sep="\n  ")


def masked(data: bytes) -> str:
    """Without moments of this century's years that are near: 2017 to 2033."""
    return re.sub("(?:[0-9a-f]{12})(?:d[3-9a-f]01)", "-time-", data.hex())


def create(name: str, access: int, disposition: int, options: int, contexts: bytes = b"") -> bytes:
    text = wide(name) or b"\0"
    text += b"\0" * (-len(text) % 8) if contexts else b""
    at = 120 + len(text) if contexts else 0
    head = struct.pack("<HBBIQQIIIII", 57, 0, 0, 2, 0, 0, access, 0, 7, disposition, options)
    return head + struct.pack("<HHII", 120, len(wide(name)), at, len(contexts)) + text + contexts


def listing(handle: bytes, level: int, pattern: str = "*", flags: int = 0, size: int = 65536) -> bytes:
    text = wide(pattern)
    return struct.pack("<HBBI", 33, level, flags, 0) + handle + struct.pack("<HHI", 96, len(text), size) + text


def query(handle: bytes, kind: int, level: int, size: int = 4096, more: int = 0) -> bytes:
    return struct.pack("<HBBIHHIII", 41, kind, level, size, 0, 0, 0, more, 0) + handle


def close(handle: bytes, flags: int = 0) -> bytes:
    return struct.pack("<HHI", 24, flags, 0) + handle


def read(handle: bytes, size: int = 65536, at: int = 0) -> bytes:
    return struct.pack("<HBBIQ", 49, 80, 0, size, at) + handle + struct.pack("<IIIHHB", 0, 0, 0, 0, 0, 0)


def main(host: str, port: int, share: str) -> None:
    client = Client(host, port)
    client.enter(host, share)
    for level in ENTRIES:
        client.listed(f"list {level}", client.open("", FOLDER, 1, 1), level)
    client.listed("list pattern", client.open("", FOLDER, 1, 1), 37, "*.TXT")
    client.listed("list below", client.open("plans", FOLDER, 1, 1), 37)
    root = client.open("", FOLDER, 1, 1)
    client.try_all("list nothing", (LIST, listing(root, 37, "zz*")))
    client.try_all("list small", (LIST, listing(root, 37, "*", 1, 40)))
    client.try_all("list of no kind", (LIST, listing(root, 99)))
    file = client.open("notes.txt")
    client.try_all("list a file", (LIST, listing(file, 37)))
    for level in (4, 5, 6, 7, 8, 9, 14, 16, 17, 18, 21, 22, 28, 34, 35, 48, 99):
        client.try_all(f"file {level}", (QUERY, query(file, 1, level)))
    for level in (1, 3, 4, 5, 6, 7, 8, 11, 99):
        client.try_all(f"volume {level}", (QUERY, query(file, 2, level)))
    client.try_all("security", (QUERY, query(file, 3, 0, 4096, 7)))
    client.try_all("security small", (QUERY, query(file, 3, 0, 4, 7)))
    client.try_all("quota", (QUERY, query(file, 4, 0)))
    client.try_all("too small", (QUERY, query(file, 1, 4, 8)))
    for size, at in ((65536, 0), (5, 6), (5, 60000), (0, 0)):
        client.try_all(f"read {size} {at}", (READ, read(file, size, at)))
    client.try_all("write", (WRITE, struct.pack("<HHIQ", 49, 112, 3, 0) + file + bytes(16) + b"abc"))
    client.try_all("set", (SET, struct.pack("<HBBIHHI", 33, 1, 13, 1, 96, 0, 0) + file + b"\1"))
    client.try_all("flush", (FLUSH, close(file)))
    client.try_all("lock", (LOCK, struct.pack("<HHI", 48, 1, 0) + file + struct.pack("<QQII", 0, 10, 0x11, 0)))
    client.try_all("close", (CLOSE, close(file, 1)))
    client.try_all("closed", (CLOSE, close(file)))
    client.try_all("read closed", (READ, read(file)))
    opening = {
        "most": ("notes.txt", 0x02000000, 1, 0),
        "to write": ("notes.txt", ALL_WRITING, 1, 0),
        "to delete": ("notes.txt", 0x10000, 1, 0x1000),
        "to make": ("new.txt", ALL_WRITING, 2, 0),
        "to overwrite": ("notes.txt", ALL_WRITING, 5, 0),
        "or make": ("new.txt", READING, 3, 0),
        "or make there": ("notes.txt", READING, 3, 0),
        "make there": ("notes.txt", READING, 2, 0),
        "make folder": ("new", FOLDER, 2, 1),
        "missing": ("missing.txt", READING, 1, 0),
        "missing folder": ("nowhere\\x.txt", READING, 1, 0),
        "below a file": ("notes.txt\\x", READING, 1, 0),
        "folder as file": ("plans", READING, 1, 0x40),
        "file as folder": ("notes.txt", READING, 1, 1),
        "capitals": ("NOTES.TXT", READING, 1, 0),
        "backslash": ("\\notes.txt", READING, 1, 0),
        "above": ("..\\x", READING, 1, 0),
        "here": ("plans\\.", READING, 1, 0),
        "stream": ("notes.txt:x", READING, 1, 0),
        "wildcard": ("no*.txt", READING, 1, 0),
        "slash": ("plans/2026.csv", READING, 1, 0),
        "not for all": ("secret.txt", READING, 1, 0),
        "hidden": (".hidden", READING, 1, 0),
    }
    for label, how in opening.items():
        client.try_all(f"open {label}", (CREATE, create(*how)))
    folder = client.open("plans", FOLDER, 1, 1)
    client.try_all("read a folder", (READ, read(folder)))
    client.try_all("folder 18", (QUERY, query(folder, 1, 18)))
    client.try_all("folder 22", (QUERY, query(folder, 1, 22)))
    for name in ("notes.txt", "missing"):
        steps = (CREATE, create(name, 0x80, 1, 0)), (QUERY, query(LAST, 1, 34)), (CLOSE, close(LAST))
        client.try_all(f"three in one, {name}", *steps)
    for code in (0x60194, 0x1401FC, 0x140204, 0x144064, 0x900A8, 0x98C4, 0x99999):
        body = struct.pack("<HHI", 57, 0, code) + folder + struct.pack("<IIIIIIII", 120, 0, 0, 0, 0, 4096, 1, 0)
        client.try_all(f"control {code:x}", (IOCTL, body))
    client.try_all("notify", (NOTIFY, struct.pack("<HHI", 32, 0, 4096) + folder + struct.pack("<II", 1, 0)))
    client.try_all("echo", (ECHO, struct.pack("<HH", 4, 0)))
    # Two answers: one to who waited for changes, and one to this.
    client.try_all("leave", (LEAVE, struct.pack("<HH", 4, 0)))
    client.show("left", client.answers())
    client.try_all("after", (CREATE, create("notes.txt", READING, 1, 0)))
    for share in ("IPC$", "nope", "other"):
        client.try_all(f"share {share}", (TREE, client.path(host, share)))


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
