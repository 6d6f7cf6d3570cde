"""
One connection to a real web server, as events: the same that images/services tells of the servers it plays. What is
wrong is judged by the server; here it is only told, and reading goes on at the next line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshlight_services.http_request import LONGEST_BODY, LONGEST_HEAD, MOST_HEADERS, Request
from marshlight_services.kinds.http import told

from .uploads import keep, worth_keeping

if TYPE_CHECKING:
    from marshlight_services.session import Session

HANDSHAKE = 0x16


class Overheard:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.buffer = bytearray()
        self.request: Request | None = None
        # Bytes of the body that are still to come; None while the size of a chunk is.
        self.left: int | None = 0
        self.chunked = False
        self.headers = 0
        self.deaf = False
        session.opened()

    def heard(self, data: bytes, clear: bool) -> None:
        if self.deaf:
            return
        if self.session.kind == "https" and not clear and data[:1] == bytes([HANDSHAKE]):
            return
        self.buffer += data
        while not self.deaf and self.step():
            pass
        if len(self.buffer) > LONGEST_HEAD:
            self.session.odd(bytes(self.buffer[:200]))
            self.missed()

    def failed(self, reason: str) -> None:
        if not self.deaf:
            self.session.odd(f"TLS: {reason}")

    def missed(self) -> None:
        """What follows a gap cannot be told apart from a body."""
        self.finish()
        self.deaf = True
        self.buffer.clear()

    def closed(self) -> None:
        if self.request is None and self.buffer.strip():
            self.session.odd(bytes(self.buffer[:LONGEST_HEAD]))
        self.finish()
        self.session.closed()

    def step(self) -> bool:
        """Takes one line or piece from what came; False when more has to come first."""
        if self.request is not None and self.headers < 0:
            return self.body(self.request)
        end = self.buffer.find(b"\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end]).rstrip(b"\r")
        del self.buffer[: end + 1]
        if self.request is None:
            self.first(line)
        else:
            self.header(self.request, line)
        return True

    def first(self, line: bytes) -> None:
        words = line.split(b" ")
        if line == b"":
            return
        if len(words) == 2 and words[0].isalpha():
            self.tell(Request(words[0].decode("latin-1"), words[1].decode("latin-1"), "HTTP/0.9"))
        elif len(words) < 3 or not words[-1].startswith(b"HTTP/") or not words[0].replace(b"-", b"A").isalpha():
            self.session.odd(line)
        else:
            target = b" ".join(words[1:-1]).decode("latin-1")
            self.request = Request(words[0].decode("latin-1"), target, words[-1].decode("latin-1"))
            self.headers, self.left, self.chunked = 0, 0, False

    def header(self, request: Request, line: bytes) -> None:
        if line:
            name, _, value = line.partition(b":")
            self.headers += 1
            if self.headers <= MOST_HEADERS:
                request.headers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
            return
        self.headers = -1
        self.chunked = "chunked" in request.headers.get("transfer-encoding", "").lower()
        length = request.headers.get("content-length", "0")
        self.left = None if self.chunked else int(length) if length.isdecimal() and len(length) < 16 else 0
        if self.left == 0:
            self.finish()

    def body(self, request: Request) -> bool:
        if self.left is None:
            end = self.buffer.find(b"\n")
            if end < 0:
                return False
            size = bytes(self.buffer[:end]).split(b";")[0].strip()
            del self.buffer[: end + 1]
            if size == b"":
                # The end of the piece before.
                return True
            try:
                self.left = int(size, 16)
            except ValueError:
                self.session.odd(size)
                self.finish()
                return True
            if self.left <= 0:
                self.finish()
            return True
        if not self.buffer:
            return False
        piece = bytes(self.buffer[: self.left])
        del self.buffer[: len(piece)]
        request.body += piece[: max(0, LONGEST_BODY - len(request.body))]
        self.left -= len(piece)
        if self.left > 0:
            return True
        if self.chunked:
            self.left = None
        else:
            self.finish()
        return True

    def finish(self) -> None:
        """The request is told with as much of its body as came."""
        request, self.request = self.request, None
        self.headers, self.left, self.chunked = 0, 0, False
        if request is not None:
            self.tell(request)

    def tell(self, request: Request) -> None:
        told(self.session, request)
        if worth_keeping(request):
            keep(self.session, request)
