"""
What one SSH server does its own way. The layers of this package ask it; a folder holds each one's answers.

    transport --> Software: which bytes are a packet, who answers a message, what is said before hanging up
    hook      --> Software: who may come in, the classes of log-in and connection
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .algorithms import Offer
    from .key_exchange import Client


@dataclass(frozen=True)
class Identified:
    """A client that can go on: its line without the end, and what came after it."""

    line: bytes
    rest: bytes


@dataclass(frozen=True)
class Refusal:
    """What is said before hanging up, without the line's end. `unread`: whether bytes are left that nobody took."""

    line: bytes
    reply: bytes
    unread: bool


class Door(ABC):
    """Who may come in, by the connections that have not logged in."""

    @abstractmethod
    def refuses(self, host: str) -> bytes | None:
        """What is said before hanging up; None: come in."""

    @abstractmethod
    def enter(self, connection: Any, host: str) -> None: ...

    @abstractmethod
    def leave(self, connection: Any) -> None: ...


class Software(ABC):
    #: KEXINIT goes out behind the banner, before the client has said anything.
    greets_with_kexinit: bool
    #: Whether a client hears why the connection ends (DISCONNECT).
    says_why: bool
    #: What fills a packet before there are keys: zeros, or chance as behind a cipher.
    pads_with_zeros: bool
    #: Takes one packet after the other from its socket, so that what comes behind the last one is left there.
    reads_by_packet: bool
    #: A packet has at least so many bytes, its length field included.
    least_packet: int
    #: Bits of an RSA host key where nobody asks for a size.
    rsa_bits: int
    #: Seconds until a log-in must be done.
    grace_seconds: int

    def __init__(self) -> None:
        self.door = self.new_door()

    @abstractmethod
    def new_door(self) -> Door: ...

    @abstractmethod
    def identified(self, received: bytes) -> Identified | Refusal | None:
        """None: more is needed."""

    @abstractmethod
    def check_length(self, how: Any, length: int) -> None:
        """`length`: what a packet says of itself. Raises Corrupt."""

    @abstractmethod
    def payload_of(self, packet: bytes) -> bytes:
        """The payload of an opened packet. Raises Corrupt."""

    @abstractmethod
    def receive(self, transport: Any, sequence: int, payload: bytes) -> None:
        """One message of the client. Raises Corrupt, Unreadable."""

    @abstractmethod
    def examine(self, client: Client) -> None:
        """Raises Unreadable for a KEXINIT that is given up before a choice."""

    @abstractmethod
    def guessed_right(self, client: Client, offer: Offer) -> bool: ...

    @abstractmethod
    def extension_info(self, banner: str, offer: Offer) -> bytes | None:
        """Body of EXT_INFO (RFC 8308); None: none is sent."""

    @abstractmethod
    def before_banner(self, seed: str) -> float: ...

    @abstractmethod
    def before_keys(self, seed: str) -> float: ...

    @abstractmethod
    def services(self) -> dict[bytes, Any]:
        """The classes of `ssh-userauth` and `ssh-connection`."""


@cache
def openssh() -> Software:
    from .openssh.conduct import Openssh

    return Openssh()


@cache
def dropbear() -> Software:
    from .dropbear.conduct import Dropbear

    return Dropbear()


def software_of(banner: str) -> Software:
    return dropbear() if banner.startswith("SSH-2.0-dropbear") else openssh()
