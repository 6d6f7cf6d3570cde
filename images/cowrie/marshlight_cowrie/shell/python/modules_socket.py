"""socket and urllib: nothing is ever sent. A host on the segment does not answer, a name is not known, an own port is closed."""

from __future__ import annotations

import socket as real
import urllib.error
from typing import TYPE_CHECKING, Any

from .names import plain
from .things import Native, Thing

if TYPE_CHECKING:
    from .machine import Machine

#: Seconds after which Linux gives up on an address that does not answer (six SYNs).
GIVEN_UP = 127.0
KINDS = {"AF_INET": 2, "AF_INET6": 10, "AF_UNIX": 1, "SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_RAW": 3, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "SOL_SOCKET": 1, "SO_REUSEADDR": 2, "SO_BROADCAST": 6, "SHUT_RDWR": 2}


def attributes(machine: Machine, name: str) -> dict[str, Any]:
    if name == "socket":
        return of_socket(machine)
    if name in ("urllib.request", "urllib.error"):
        return {"urlopen": Native("urlopen", urlopen), "urlretrieve": Native("urlretrieve", urlopen), "URLError": urllib.error.URLError, "HTTPError": urllib.error.HTTPError}
    return {"request": machine.import_module("urllib.request"), "error": machine.import_module("urllib.error")} if name == "urllib" else {}


def numeric(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


async def resolved(machine: Machine, host: str) -> str:
    p = machine.p
    if numeric(host):
        return host
    if host in ("localhost", "", p.host.persona.hostname):
        return "127.0.0.1"
    await p.host.sleep(4 + 2 * p.host.random(f"resolve {host}"))
    raise real.gaierror(-3, "Temporary failure in name resolution")


async def reached(machine: Machine, host: str, port: int, timeout: float | None) -> None:
    """As a network that lets nothing out: silence; a port of this very host that nobody serves refuses."""
    p = machine.p
    address = await resolved(machine, host)
    if address.startswith("127.") or address in (p.host.address, "0.0.0.0"):
        raise ConnectionRefusedError(111, "Connection refused")
    if timeout is not None and timeout <= GIVEN_UP:
        await p.host.sleep(max(0.0, timeout))
        raise TimeoutError("timed out")
    await p.host.sleep(GIVEN_UP + 3 * p.host.random(f"{host} {port}"))
    raise TimeoutError(110, "Connection timed out")


def of_socket(machine: Machine) -> dict[str, Any]:
    p = machine.p
    shared: dict[str, float | None] = {"timeout": None}

    async def made(machine: Machine, family: int = 2, kind: int = 1, proto: int = 0, *more: Any) -> Thing:
        return of_one(machine, family, kind, shared["timeout"])

    async def create_connection(machine: Machine, address: Any, timeout: float | None = None, *more: Any) -> None:
        await reached(machine, str(address[0]), int(address[1]), timeout)

    async def setdefaulttimeout(machine: Machine, seconds: float | None) -> None:
        shared["timeout"] = seconds

    async def gethostbyname(machine: Machine, host: str) -> str:
        return await resolved(machine, host)

    functions = {"socket": made, "create_connection": create_connection, "setdefaulttimeout": setdefaulttimeout, "gethostbyname": gethostbyname}
    values = {"gethostname": lambda: p.host.persona.hostname, "getfqdn": lambda *more: p.host.persona.hostname, "inet_aton": real.inet_aton, "inet_ntoa": real.inet_ntoa, "htons": real.htons, "ntohs": real.ntohs}
    return {
        **KINDS, **{name: Native(name, run, "type" if name == "socket" else "function") for name, run in functions.items()},
        **{name: plain(name, run) for name, run in values.items()}, "error": OSError, "timeout": TimeoutError, "gaierror": real.gaierror, "herror": real.herror,
    }  # fmt: skip


def of_one(machine: Machine, family: int, kind: int, timeout: float | None) -> Thing:
    p = machine.p
    state = {"timeout": timeout}
    shown = f"<socket.socket fd=3, family={family}, type={kind}, proto=0, laddr=('0.0.0.0', 0)>"

    async def connect(machine: Machine, address: Any) -> None:
        if not isinstance(address, tuple) or len(address) != 2:
            raise TypeError(f"connect(): AF_INET address must be tuple, not {type(address).__name__}")
        if kind != 2:
            await reached(machine, str(address[0]), int(address[1]), state["timeout"])

    async def connect_ex(machine: Machine, address: Any) -> int:
        try:
            await connect(machine, address)
        except OSError as error:
            return error.errno or 11
        return 0

    async def settimeout(machine: Machine, seconds: float | None) -> None:
        state["timeout"] = seconds

    async def fileno(machine: Machine) -> int:
        return 3

    async def unconnected(machine: Machine, *more: Any) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    async def sent(machine: Machine, data: Any, *more: Any) -> int:
        return len(data)

    async def silent(machine: Machine, *more: Any) -> None:
        """What waits for a packet or a client waits for good."""
        await p.host.sleep(state["timeout"] if state["timeout"] is not None else 1e6)
        raise TimeoutError("timed out")

    async def nothing(machine: Machine, *more: Any) -> None:
        return None

    async def getsockname(machine: Machine) -> tuple[str, int]:
        return (p.host.address if kind == 2 else "0.0.0.0", 40000 + int(p.host.random("port") * 9000))

    functions = {
        **{"connect": connect, "connect_ex": connect_ex, "settimeout": settimeout, "fileno": fileno, "send": unconnected, "sendall": unconnected, "sendto": sent},
        **{"recv": silent if kind == 2 else unconnected, "recvfrom": silent, "accept": silent, "bind": nothing, "listen": nothing, "close": nothing, "shutdown": nothing},
        **{"setsockopt": nothing, "setblocking": nothing, "getsockname": getsockname},
    }
    return Thing("socket", shown, {name: Native(name, run) for name, run in functions.items()})


async def urlopen(machine: Machine, url: Any, *more: Any, **named: Any) -> None:
    from urllib.parse import urlsplit

    if not isinstance(url, str):
        raise TypeError(f"expected string or bytes-like object, got '{type(url).__name__}'")
    parts = urlsplit(url)
    if not parts.scheme:
        raise ValueError(f"unknown url type: {url!r}")
    try:
        await reached(machine, parts.hostname or "", parts.port or 80, named.get("timeout"))
    except OSError as error:
        raise urllib.error.URLError(error) from None
