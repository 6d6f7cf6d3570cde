"""Which conversation serves which kind: one folder a service. Loaded when a persona first asks for one, to save memory."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection
    from .persona import Persona, Service
    from .session import Session


@dataclass(frozen=True)
class Stream:
    talk: Callable[[Connection], Awaitable[None]]
    # What takes long, as the making of a key, before the service is said to be ready.
    prepare: Callable[[Persona, Service], object] | None = None


@dataclass(frozen=True)
class Datagram:
    """The answer to one datagram, or None for silence."""

    answer: Callable[[bytes, Service, Session], bytes | None]
    # It hears what is sent to the host's own address, not what is sent to all of a link.
    itself_alone: bool = False
    # A multicast group that it listens to as well, or `broadcast` for what goes to all of the link.
    group: str | None = None
    # The answer to what came that way: to all of the group, or to who asked alone.
    to_group: Callable[[bytes, Service, Session], bytes | None] | None = None
    to_asker: Callable[[bytes, Service, Session], bytes | None] | None = None
    # Each answer leaves from a port of its own.
    fresh_port: bool = False


STREAMS = (
    *("http", "https", "ftp", "smb", "mysql", "postgres", "redis", "rdp", "vnc", "modbus", "mqtt", "msrpc", "winrm"),
    *("rtsp", "printer"),
)
DATAGRAMS = ("snmp", "ntp", "tftp", "netbios", "mdns", "llmnr")

loaded: dict[str, Stream | Datagram] = {}


def kind_of(name: str) -> Stream | Datagram | None:
    """None for a kind that is not known here."""
    if name not in loaded:
        if name in STREAMS:
            module = importlib.import_module(f".kinds.{name}", __package__)
            loaded[name] = Stream(module.talk, getattr(module, "prepare", None))
        elif name in DATAGRAMS:
            module = importlib.import_module(f".kinds.{name}", __package__)
            more = [getattr(module, word, None) for word in ("HEARS", "to_group", "to_asker")]
            flags = [bool(getattr(module, word, False)) for word in ("ITSELF_ALONE", "FRESH_PORT")]
            loaded[name] = Datagram(module.answer, flags[0], *more, flags[1])
    return loaded.get(name)
