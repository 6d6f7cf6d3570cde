"""How OpenSSH's server takes messages: what it answers before there are keys, while they are made, and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import messages
from ..algorithms import MARKERS
from ..protection import Corrupt
from ..software import Door, Identified, Refusal, Software
from ..wire import read_string
from . import identification, pace
from .release import extension_info
from .startups import Startups

if TYPE_CHECKING:
    from ..algorithms import Offer
    from ..key_exchange import Client

LEAST_LENGTH, LARGEST_LENGTH = 5, 256 * 1024
LEAST_PADDING = 4
IGNORED = (messages.IGNORE, messages.UNIMPLEMENTED, messages.DEBUG)


class Openssh(Software):
    greets_with_kexinit = False
    says_why = True
    pads_with_zeros = True
    reads_by_packet = False
    least_packet = 0
    # What ssh-keygen makes.
    rsa_bits = 3072
    # LoginGraceTime.
    grace_seconds = 120

    def new_door(self) -> Door:
        return Startups()

    def identified(self, received: bytes) -> Identified | Refusal | None:
        return identification.read(received)

    def check_length(self, how: Any, length: int) -> None:
        if not LEAST_LENGTH <= length <= LARGEST_LENGTH:
            raise Corrupt(f"Bad packet length {length}.")
        if (length + (0 if how.clear_length else 4)) % how.block:
            raise Corrupt("padding error")

    def payload_of(self, packet: bytes) -> bytes:
        padding = packet[4]
        if padding < LEAST_PADDING or 5 + padding > len(packet):
            text = f"Corrupted padlen {padding} on input."
            raise Corrupt(text, text.encode())
        return packet[5 : len(packet) - padding]

    def receive(self, transport: Any, sequence: int, payload: bytes) -> None:
        if not payload or not messages.LEAST <= payload[0] < messages.LOCAL:
            text = f"Invalid ssh2 packet type: {payload[0] if payload else 0}"
            raise Corrupt(text, text.encode())
        number, body = payload[0], payload[1:]
        first = transport.session is None
        if first and number >= messages.USERAUTH_REQUEST:
            # Nothing is there yet to answer it.
            transport.end()
            return
        strictly = (messages.DISCONNECT, messages.KEXINIT, transport.expected())
        if transport.strict and first and number not in strictly:
            transport.disconnect(f"strict KEX violation: unexpected packet type {number} (seqnr {sequence})")
            return
        self.handle(transport, number, payload, body)

    def handle(self, transport: Any, number: int, payload: bytes, body: bytes) -> None:
        if number == messages.DISCONNECT:
            transport.take_leave(body)
        elif number in IGNORED:
            return
        elif number == messages.KEXINIT and self.may_begin(transport):
            transport.begin(payload)
        elif number == messages.NEWKEYS and transport.next_incoming is not None:
            transport.switch_incoming()
        elif transport.exchange is not None and messages.KEXINIT < number < messages.USERAUTH_REQUEST:
            self.advance(transport, number, body)
        elif number == messages.SERVICE_REQUEST and transport.session is not None and not transport.in_session:
            self.start_service(transport, body)
        elif transport.service is not None and number >= messages.USERAUTH_REQUEST:
            transport.service.packetReceived(number, body)
        else:
            transport.sendUnimplemented()

    def may_begin(self, transport: Any) -> bool:
        """Keys are made at the start, and again in a session; between the two OpenSSH has nobody to take a KEXINIT."""
        return transport.exchange is None and (transport.session is None or transport.in_session)

    def advance(self, transport: Any, number: int, body: bytes) -> None:
        if transport.skip_next:
            transport.skip_next = False
        elif number != transport.expected() or transport.next_incoming is not None:
            transport.sendUnimplemented()
        else:
            transport.advance(number, body)

    def start_service(self, transport: Any, body: bytes) -> None:
        name, _ = read_string(body)
        if name != b"ssh-userauth":
            transport.disconnect("bad service request " + name.decode("utf-8", "replace"))
            return
        transport.accept_service(name)
        transport.start_log_in()

    def examine(self, client: Client) -> None:
        """It takes lists of any length."""

    def guessed_right(self, client: Client, offer: Offer) -> bool:
        served = [name for name in offer.kex if name not in MARKERS]
        return client.kex[0] == served[0] and client.host_keys[0] == offer.host_keys[0]

    def extension_info(self, banner: str, offer: Offer) -> bytes | None:
        return extension_info(banner)

    def before_banner(self, seed: str) -> float:
        return pace.before_banner(seed)

    def before_keys(self, seed: str) -> float:
        return pace.before_keys(seed)

    def services(self) -> dict[bytes, Any]:
        from .connection import OpensshConnection
        from .userauth import OpensshUserAuth

        return {b"ssh-userauth": OpensshUserAuth, b"ssh-connection": OpensshConnection}
