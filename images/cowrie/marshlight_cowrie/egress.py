"""
Where the decoy may open connections to. The pod's nftables rules are what holds; this makes Cowrie's own downloads
follow the same list, in place of its notion of public addresses, and refuse the rest as a host without a route would.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .persona import Fields, Refused, parsed

if TYPE_CHECKING:
    from .decoy import Decoy

DNS = 53


@dataclass(frozen=True)
class Allowed:
    network: ipaddress.IPv4Network
    proto: str
    port: int


@dataclass(frozen=True)
class Egress:
    allowed: tuple[Allowed, ...]

    def reaches(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(address in rule.network for rule in self.allowed)

    def resolves(self) -> bool:
        return any(rule.port == DNS for rule in self.allowed)


def read_egress(raw: bytes) -> Egress:
    """`[{cidr, proto, port}]`; raises Refused."""
    rules = parsed(raw)
    if not isinstance(rules, list):
        raise Refused("egress is not a list")
    return Egress(tuple(rule_of(Fields(rule, f"egress[{index}]")) for index, rule in enumerate(rules)))


def rule_of(fields: Fields) -> Allowed:
    cidr, proto, port = fields.text("cidr"), fields.text("proto"), fields.integer("port", least=1)
    if proto not in ("tcp", "udp") or port > 65535:
        raise Refused(f"{fields.path} names {proto[:8]!r} port {port}")
    try:
        return Allowed(ipaddress.IPv4Network(cidr, strict=False), proto, port)
    except ValueError:
        raise Refused(f"{fields.path}.cidr is {cidr[:40]!r}, not an IPv4 network") from None


def install(decoy: Decoy) -> None:
    from cowrie.commands import curl, wget
    from cowrie.core import download, network
    from twisted.internet import defer

    from .signatures import expect

    expect(network._is_blocked, "(ip)")
    expect(network.resolve_cname, "(address, visited)")
    expect(wget.Command_wget.errorWrite, "(self, data)")
    resolve = network.resolve_cname

    def resolve_where_allowed(address: str, visited: set[str]) -> Any:
        # Without a name server in reach, Twisted would wait a minute; a host whose resolver is refused knows at once.
        return resolve(address, visited) if decoy.egress.resolves() else defer.succeed(None)

    network._is_blocked = lambda ip: not decoy.egress.reaches(ip)
    network.resolve_cname = resolve_where_allowed
    say_unreachable(wget.Command_wget, wget_line, "wget: unable to resolve", download.report_download_failure)
    say_unreachable(curl.Command_curl, curl_line, "curl: (6)", download.report_download_failure)


def say_unreachable(command: Any, line: Any, verdict: str, report: Any) -> None:
    """Cowrie says of a refused address that its name does not resolve, and does not report the attempt."""
    write = command.errorWrite

    def error_write(self: Any, data: str) -> None:
        # The artifact is opened once the address is allowed; without it, Cowrie itself refused.
        host = None if hasattr(self, "artifact") else getattr(self, "host", None)
        if host and data.startswith(verdict):
            report(self, url_of(self.args, host))
        write(self, line(self, data) if host and is_address(host) else data)

    command.errorWrite = error_write


def url_of(args: list[str], host: str) -> str:
    named = next((arg for arg in args if host in arg.lower()), host)
    return named if "://" in named else f"http://{named}"


def wget_line(command: Any, data: str) -> str:
    if data.startswith("Resolving "):
        return f"Connecting to {command.host}:{command.port}... failed: Network is unreachable.\n"
    return "" if data.startswith("wget: unable to resolve") else data


def curl_line(command: Any, data: str) -> str:
    if data.startswith("curl: (6)"):
        return f"curl: (7) Failed to connect to {command.host} port {command.port}: Network is unreachable\n"
    return data


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
