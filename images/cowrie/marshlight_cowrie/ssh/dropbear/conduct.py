"""
How Dropbear's server takes messages. It speaks first, and never says why it ends: it hangs up.

    While keys are made one message is required, and all but the transport's own end the connection; else each message
    has its handler, or is unimplemented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import messages
from ..protection import Corrupt
from ..software import Door, Identified, Refusal, Software
from ..wire import Unreadable
from . import identification, pace
from .extensions import extension_info
from .limits import LARGEST_PACKET, LARGEST_PAYLOAD, MOST_NAMES, read_text
from .unauthenticated import Unauthenticated

if TYPE_CHECKING:
    from ..algorithms import Offer
    from ..key_exchange import Client

IGNORED = (messages.IGNORE, messages.DEBUG, messages.UNIMPLEMENTED)
NOT_BETWEEN = (messages.SERVICE_REQUEST, messages.SERVICE_ACCEPT, messages.KEXINIT)
LAST_BEFORE_LOG_IN = 60
GUESSES = b"kexguess2@matt.ucc.asn.au"
# Those for a channel or the connection; of all others there is no handler.
OF_SESSIONS = {
    *range(messages.GLOBAL_REQUEST, messages.REQUEST_FAILURE + 1),
    *range(messages.CHANNEL_OPEN, messages.CHANNEL_FAILURE + 1),
} - {messages.CHANNEL_EXTENDED_DATA}


class Dropbear(Software):
    greets_with_kexinit = True
    says_why = False
    pads_with_zeros = False
    reads_by_packet = True
    least_packet = 16
    # What dropbearkey makes.
    rsa_bits = 2048
    grace_seconds = 300

    def new_door(self) -> Door:
        return Unauthenticated()

    def identified(self, received: bytes) -> Identified | Refusal | None:
        return identification.read(received)

    def check_length(self, how: Any, length: int) -> None:
        counted = length if how.clear_length else length + 4
        if length + 4 + how.tag > LARGEST_PACKET or counted < how.block or counted % how.block:
            raise Corrupt(f"bad packet size {length}")

    def payload_of(self, packet: bytes) -> bytes:
        """It takes any padding that leaves a message."""
        size = len(packet) - packet[4] - 5
        if not 1 <= size <= LARGEST_PAYLOAD:
            raise Corrupt(f"bad payload size {size}")
        return packet[5 : 5 + size]

    def receive(self, transport: Any, sequence: int, payload: bytes) -> None:
        if not payload:
            raise Corrupt("an empty message")
        number = payload[0]
        strictly = transport.strict and transport.session is None
        if number == messages.DISCONNECT:
            transport.take_leave(payload[1:])
        elif number in IGNORED and not strictly:
            return
        elif number != self.required(transport) and self.required(transport) is not None:
            self.out_of_order(transport, number, strictly)
        elif transport.skip_next:
            transport.skip_next = False
        elif number > LAST_BEFORE_LOG_IN and not transport.in_session:
            transport.disconnect(f"message {number} before the log-in")
        else:
            self.handle(transport, number, payload)

    def required(self, transport: Any) -> int | None:
        if transport.next_incoming is not None:
            return messages.NEWKEYS
        if transport.exchange is None and transport.session is not None:
            return None
        return int(transport.expected())

    def out_of_order(self, transport: Any, number: int, strictly: bool) -> None:
        if 0 < number < messages.USERAUTH_REQUEST and number not in NOT_BETWEEN and not strictly:
            transport.sendUnimplemented()
        else:
            transport.disconnect(f"message {number}, {self.required(transport)} expected")

    def handle(self, transport: Any, number: int, payload: bytes) -> None:
        body = payload[1:]
        if number == messages.KEXINIT:
            transport.begin(payload)
        elif number in (messages.KEX_INIT, messages.NEWKEYS):
            self.go_on(transport, number, body)
        elif number == messages.SERVICE_REQUEST:
            self.start_service(transport, body)
        elif number == messages.USERAUTH_REQUEST:
            self.log_in(transport, number, body)
        elif number in OF_SESSIONS:
            transport.service.packetReceived(number, body)
        else:
            transport.sendUnimplemented()

    def go_on(self, transport: Any, number: int, body: bytes) -> None:
        if transport.exchange is None:
            transport.disconnect(f"message {number} without KEXINIT")
        elif number == messages.NEWKEYS:
            transport.switch_incoming()
        else:
            transport.advance(number, body)

    def start_service(self, transport: Any, body: bytes) -> None:
        name, _ = read_text(body)
        if name == b"ssh-userauth" or (name == b"ssh-connection" and transport.in_session):
            transport.accept_service(name)
        else:
            transport.disconnect("a service that is not there")

    def log_in(self, transport: Any, number: int, body: bytes) -> None:
        """Nobody needs to have asked for the service before; who is in is heard no more."""
        if not transport.in_session:
            transport.start_log_in()
            transport.service.packetReceived(number, body)

    def examine(self, client: Client) -> None:
        for names in (client.kex, client.host_keys, *client.ciphers, *client.macs, *client.compressions):
            if len(names) > MOST_NAMES:
                raise Unreadable(f"{len(names)} algorithms in one list")

    def guessed_right(self, client: Client, offer: Offer) -> bool:
        """With `kexguess2` what is agreed must be the client's own first, else it must be the first of both."""
        if GUESSES in client.kex:
            return client.kex[0] in offer.kex and client.host_keys[0] in offer.host_keys
        return client.kex[0] == offer.kex[0] and client.host_keys[0] == offer.host_keys[0]

    def extension_info(self, banner: str, offer: Offer) -> bytes | None:
        return extension_info(banner, offer)

    def before_banner(self, seed: str) -> float:
        return pace.before_banner(seed)

    def before_keys(self, seed: str) -> float:
        return pace.before_keys(seed)

    def services(self) -> dict[bytes, Any]:
        from .connection import DropbearConnection
        from .userauth import DropbearUserAuth

        return {b"ssh-userauth": DropbearUserAuth, b"ssh-connection": DropbearConnection}
