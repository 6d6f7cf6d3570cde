"""
Conversations between two hosts that mimic: TLS 1.3 from its first byte (RFC 8446), so that who looks on sees a protocol that
he knows, and within it sizes as they are asked for.

    message    its own length, then numbers (seven bits each, lowest first), then zeros: as many as make it so long on the wire
    request    names how long the response shall be on the wire
    response   nothing else

A side writes and reads memory only: when bytes leave, and in which pieces, is up to who has the socket.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess

LONGEST = 8 << 20
FULL = 16_384
# Of a record: its head, the kind of what is within, and what proves it whole.
OVERHEAD = 5 + 1 + 16
SECONDS = 20
# How long a handshake is made at most, what is near enough, and what a comment in a certificate takes by itself.
MOST_HANDSHAKE, NEAR, TRIES, COMMENT = 6000, 0.6, 10, 17


def number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number_in(data: bytes, place: int) -> tuple[int, int] | None:
    """The number that begins there and where it ends; None where it is not whole yet."""
    value = 0
    for at, byte in enumerate(data[place : place + 5]):
        value |= (byte & 0x7F) << (7 * at)
        if byte < 0x80:
            return value, place + at + 1
    if len(data) >= place + 5:
        raise ValueError("no number")
    return None


def plain_for(wire: int, *numbers: int) -> bytes:
    """A message that takes so many bytes on the wire, or as few as there have to be."""
    records = max(1, -(-wire // (FULL + OVERHEAD)))
    inside = b"".join(map(number, numbers))
    size = max(wire - records * OVERHEAD, len(inside) + 1)
    while size < len(number(size)) + len(inside):
        size += 1
    head = number(size) + inside
    return head + bytes(size - len(head))


class Side:
    def __init__(self, context: ssl.SSLContext, serves: bool) -> None:
        self.came, self.leaves = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.came, self.leaves, server_side=serves)
        self.is_open = False
        self.rest = b""

    def take(self, data: bytes) -> bool:
        """What came on the wire; whether the handshake is over."""
        self.came.write(data)
        if not self.is_open:
            try:
                self.tls.do_handshake()
                self.is_open = True
            except ssl.SSLWantReadError:
                pass
        return self.is_open

    def out(self) -> bytes:
        return self.leaves.read()

    def message(self, wire: int, *numbers: int) -> bytes:
        """With what the handshake still has to say it is so long."""
        self.tls.write(plain_for(min(wire, LONGEST) - self.leaves.pending, *numbers))
        return self.out()

    def whole(self) -> bytes | None:
        """The next message that is there from its beginning to its end."""
        while True:
            try:
                piece = self.tls.read(FULL)
            except ssl.SSLWantReadError:
                break
            if not piece:
                break
            self.rest += piece
        found = number_in(self.rest, 0)
        if found is None or len(self.rest) < found[0]:
            if found and not 0 < found[0] <= LONGEST:
                raise ValueError("no message")
            return None
        message, self.rest = self.rest[: found[0]], self.rest[found[0] :]
        return message


def wanted_by(request: bytes) -> int:
    """How long the response shall be."""
    _, place = number_in(request, 0) or (0, 0)
    found = number_in(request, place)
    if found is None:
        raise ValueError("no length")
    return min(found[0], LONGEST)


class Asking(Side):
    """
    One exchange until the handshake is over, then messages. As programs on this system ask: its library's own ciphers; a browser
    or curl says which HTTP it would like.
    """

    steps = 1

    def __init__(self, kind: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT")
        if kind == "https":
            # What curl says besides, so that it has curl's fingerprint.
            context.set_alpn_protocols(["h2", "http/1.1"])
            context.post_handshake_auth = True
            context.options |= ssl.OP_NO_TICKET
        super().__init__(context, serves=False)

    def step(self) -> bytes:
        self.take(b"")
        return self.out()

    @staticmethod
    def expected(response: int) -> int:
        """How long a response of so many bytes really is."""
        plain = len(plain_for(min(response, LONGEST)))
        return plain + -(-plain // FULL) * OVERHEAD if response > 0 else 0


class Answering(Side):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context, serves=True)

    def take(self, data: bytes) -> list[bytes]:  # type: ignore[override]
        """What is to be said to what came."""
        if not super().take(data):
            return [self.out()]
        said = []
        while (request := self.whole()) is not None:
            wanted = wanted_by(request)
            said.append(self.message(wanted) if wanted else b"")
        return said


def certified(handshake: int = 0) -> ssl.SSLContext:
    """With a certificate that makes the answer to a handshake about so long, as servers' of the segment are."""
    further, context = 0, with_certificate(0)
    for _ in range(TRIES if handshake > 0 else 0):
        missed = min(handshake, MOST_HANDSHAKE) - answer_of(context)
        if abs(missed) < NEAR or further + missed < -2 * NEAR:
            break
        # A byte more or less is the signature's chance: made anew it may fit.
        further = max(0, further + (round(missed) if abs(missed) > 2 * NEAR else 0))
        context = with_certificate(further)
    return context


def answer_of(context: ssl.SSLContext) -> float:
    """The mean of some: signatures are not all as long."""
    return sum(len(text) for _ in range(8) for text in Answering(context).take(Asking("https").step())) / 8


def with_certificate(further: int) -> ssl.SSLContext:
    """Of this host's name, and so many bytes more; made now and nowhere kept: nobody sees it but peers, who take any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    # They would be larger than many a response; who looks on cannot tell whether there are any.
    context.num_tickets = 0
    name = "".join(letter for letter in socket.gethostname() if letter.isalnum() or letter in "-.")[:64] or "localhost"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"]
    # The name stands in it twice.
    longer = min(further // 2, 64 - len(name))
    rest = further - 2 * longer - COMMENT
    more = ["-addext", f"nsComment={'.' * rest}"] if rest > 0 else []
    made = subprocess.run(
        ["openssl", "req", *kind, *more, "-days", "825", "-subj", f"/CN={name}{'-' * longer}", "-keyout", "/dev/stdout", "-out", "/dev/stdout"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False,
    )
    if made.returncode != 0:
        raise OSError(f"no certificate: {made.stderr.decode('ascii', 'replace').strip()[-120:]}")
    kept = os.memfd_create("certificate")
    try:
        os.write(kept, made.stdout)
        context.load_cert_chain(f"/proc/self/fd/{kept}")
    finally:
        os.close(kept)
    return context
