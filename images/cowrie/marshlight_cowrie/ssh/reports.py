"""What the transport tells Cowrie's log of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cowrie.core.utils import escape_nonprintable, hassh_client

if TYPE_CHECKING:
    from .key_exchange import Client

LONGEST_LINE = 1024


def event(transport: Any, name: str, text: str, **fields: Any) -> None:
    if transport.events:
        transport.events.dispatch(name, text, **fields)


def client_version(transport: Any, line: bytes) -> None:
    said = escape_nonprintable(line[:LONGEST_LINE])
    event(transport, "cowrie.client.version", "Remote SSH version: %(version)s", version=said)


def malformed(transport: Any, why: str, data: bytes) -> None:
    event(
        transport,
        "cowrie.client.malformed_packet",
        "Malformed SSH packet (message %(messagenum)d, %(datalen)d bytes); disconnecting",
        messagenum=0,
        datalen=len(data),
        data=data.hex(),
    )
    transport._log.info("connection ends: {why}", why=why)


def key_exchange(transport: Any, client: Client) -> None:
    ciphers, macs, compressions = client.ciphers[0], client.macs[0], client.compressions[0]
    algorithms, hassh = hassh_client(client.kex, ciphers, macs, compressions)
    event(
        transport,
        "cowrie.client.kex",
        "SSH client hassh fingerprint: %(hassh)s",
        hassh=hassh,
        hasshAlgorithms=algorithms,
        kexAlgs=client.kex,
        keyAlgs=client.host_keys,
        encCS=ciphers,
        macCS=macs,
        compCS=compressions,
        langCS=[b""],
    )
