"""
One key exchange, from the two KEXINITs to the keys (RFC 4253, 7 to 9).

    negotiate -> Chosen       respond(message) -> packets to send, and at the end Keys
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import messages
from .algorithms import EXT_INFO_CLIENT, MARKERS, STRICT_CLIENT, STRICT_SERVER, Offer, first_common
from .exchanges import EXCHANGES, Agreed, Exchange, finite_field
from .groups import exchange_group
from .protection import brings_its_own_mac, protection
from .wire import Unreadable, mpint, names, read_flag, read_numbers, read_strings, string


class NoMatch(Exception):
    """The two sides have nothing in common; servers hang up without a word."""


@dataclass(frozen=True)
class Client:
    """A client's KEXINIT, read."""

    kex: list[bytes]
    host_keys: list[bytes]
    ciphers: tuple[list[bytes], list[bytes]]
    macs: tuple[list[bytes], list[bytes]]
    compressions: tuple[list[bytes], list[bytes]]
    guessed: bool


@dataclass(frozen=True)
class Chosen:
    kex: bytes
    host_key: bytes
    # Each: from the client, to the client.
    ciphers: tuple[bytes, bytes]
    macs: tuple[bytes, bytes]
    compressions: tuple[bytes, bytes]


def kexinit(cookie: bytes, offer: Offer) -> bytes:
    lists = [offer.kex, offer.host_keys, *[offer.ciphers] * 2, *[offer.macs] * 2, *[offer.compression] * 2, [], []]
    return bytes((messages.KEXINIT,)) + cookie + b"".join(names(one) for one in lists) + bytes(5)


def read_kexinit(payload: bytes) -> Client:
    raw, rest = read_strings(payload[17:], 10)
    lists = [one.split(b",") for one in raw]
    guessed, _ = read_flag(rest)
    pairs = [(lists[at], lists[at + 1]) for at in (2, 4, 6)]
    return Client(lists[0], lists[1], pairs[0], pairs[1], pairs[2], guessed)


def choose(client: Client, offer: Offer) -> Chosen:
    def common(theirs: list[bytes], ours: list[bytes], what: str) -> bytes:
        name = first_common(theirs, ours)
        if name is None:
            raise NoMatch(f"no matching {what} found")
        return name

    kex = common(client.kex, offer.kex, "key exchange method")
    if kex in MARKERS:
        raise NoMatch(f"{kex.decode()} is no key exchange method")
    host_key = common(client.host_keys, offer.host_keys, "host key type")
    ciphers = [common(theirs, offer.ciphers, "cipher") for theirs in client.ciphers]
    macs = [
        b"" if brings_its_own_mac(cipher) else common(theirs, offer.macs, "MAC")
        for theirs, cipher in zip(client.macs, ciphers, strict=True)
    ]
    compressions = [common(theirs, offer.compression, "compression method") for theirs in client.compressions]
    return Chosen(kex, host_key, pair(ciphers), pair(macs), pair(compressions))


def pair(of: list[bytes]) -> tuple[bytes, bytes]:
    return of[0], of[1]


def is_strict(client: Client, offer: Offer) -> bool:
    return STRICT_CLIENT in client.kex and STRICT_SERVER in offer.kex


def wants_extensions(client: Client) -> bool:
    return EXT_INFO_CLIENT in client.kex


@dataclass
class KeyExchange:
    chosen: Chosen
    # V_C, V_S, I_C, I_S and K_S, as the hash takes them.
    transcript: bytes
    host_key: Any
    moduli: Path
    # What a group exchange adds to the hash, and its group.
    extra: bytes = b""
    group: tuple[int, int] | None = None

    @property
    def exchange(self) -> Exchange:
        return EXCHANGES[self.chosen.kex]

    @property
    def expects(self) -> int:
        if self.exchange.respond is not None:
            return messages.KEX_INIT
        return messages.GEX_INIT if self.group else messages.GEX_REQUEST

    def offer_group(self, body: bytes) -> bytes:
        """GEX_REQUEST -> payload of GEX_GROUP."""
        (least, wanted, most), _ = read_numbers(body, 3)
        self.group = exchange_group(self.moduli, least, wanted, most)
        if self.group is None:
            raise Unreadable("DH GEX group out of range")
        generator, prime = self.group
        self.extra = body[:12] + mpint(prime) + mpint(generator)
        return bytes((messages.KEX_REPLY,)) + mpint(prime) + mpint(generator)

    def finish(self, body: bytes) -> tuple[bytes, Agreed, bytes]:
        """The client's public value -> (payload of the reply, what was agreed, exchange hash)."""
        respond = self.exchange.respond
        if respond is not None:
            agreed, number = respond(body), messages.KEX_REPLY
        else:
            generator, prime = self.group or (0, 0)
            agreed, number = finite_field(generator, prime, body), messages.GEX_REPLY
        digest = self.exchange.hash(
            self.transcript + self.extra + agreed.client + agreed.server + agreed.secret
        ).digest()
        signature = self.host_key.sign(digest, signatureType=self.chosen.host_key)
        blob = self.host_key.public().blob()
        return bytes((number,)) + string(blob) + agreed.server + string(signature), agreed, digest

    def protections(self, agreed: Agreed, digest: bytes, session: bytes) -> tuple[Any, Any]:
        """(for what comes in, for what goes out)."""

        def derived(letter: bytes) -> bytes:
            key = self.exchange.hash(agreed.secret + digest + letter + session).digest()
            while len(key) < 64:
                key += self.exchange.hash(agreed.secret + digest + key).digest()
            return bytes(key)

        (cipher_in, cipher_out), (mac_in, mac_out) = self.chosen.ciphers, self.chosen.macs
        incoming = protection(cipher_in, mac_in, derived(b"A"), derived(b"C"), derived(b"E"), sending=False)
        outgoing = protection(cipher_out, mac_out, derived(b"B"), derived(b"D"), derived(b"F"), sending=True)
        return incoming, outgoing
