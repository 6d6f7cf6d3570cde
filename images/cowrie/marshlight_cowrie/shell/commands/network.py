"""The one interface of the host and its routes: ip ifconfig route arp."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from ...machine.kind import contained
from .options import Usage

if TYPE_CHECKING:
    from ..ports import Process

INTERFACE = "eth0"
LO = "lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN"
ETH = "<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc {queue} state UP"


def interface(p: Process) -> str:
    return getattr(p.host, "interface", INTERFACE)


def network(p: Process) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{p.host.address}/{getattr(p.host, 'prefix', 24)}", strict=False)


def queue(p: Process) -> str:
    return "noqueue" if contained(p.host.persona) else "mq" if p.host.persona.hardware.cores > 1 else "pfifo_fast"


def counters(p: Process) -> tuple[int, int, int, int]:
    """Bytes and packets in, bytes and packets out: they grow with the time since the boot."""
    up = max(60.0, p.host.now() - p.host.persona.booted_at)
    rx, tx = (int(up * (600 + 6000 * p.host.random(name))) for name in ("rx", "tx"))
    return rx, rx // 412 + 1, tx, tx // 305 + 1


async def ip(p: Process) -> int:
    words, flags = list(p.args[1:]), ""
    while words and words[0].startswith("-"):
        word = words.pop(0)
        flags += {"-br": "b", "-brief": "b", "-o": "o", "-oneline": "o", "-s": "s", "-4": "4", "-6": "6", "-c": "", "-details": "", "-d": ""}.get(word, "?" if word not in ("-V", "-Version", "-V") else "V")
    if "V" in flags:
        p.out("ip utility, iproute2-6.1.0, libbpf 1.1.2\n")
        return 0
    if not words:
        raise Usage("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n       ip [ -force ] -batch filename\n", 255)
    thing = next((name for name in ("address", "addr", "link", "route", "neighbour", "neighbor", "rule", "maddress", "netns") if name.startswith(words[0])), None)
    if thing is None:
        raise Usage(f'Object "{words[0]}" is unknown, try "ip help".\n')
    rest = [word for word in words[1:] if word not in ("show", "s", "sh", "list", "ls", "l", "dev")]
    if thing in ("address", "addr", "link"):
        return links(p, rest, flags, thing == "link")
    if thing == "route":
        return routes(p, rest)
    if thing in ("neighbour", "neighbor"):
        for address, mac in neighbours(p):
            p.out(f"{address} dev {interface(p)} lladdr {mac} REACHABLE\n")
        return 0
    if thing == "rule":
        p.out("0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n")
    return 0


def neighbours(p: Process) -> list[tuple[str, str]]:
    try:
        lines = p.fs.read("/proc/net/arp").decode().splitlines()[1:]
    except OSError:
        return []
    return [(cells[0], cells[3]) for line in lines if len(cells := line.split()) >= 6]


def links(p: Process, rest: list[str], flags: str, bare: bool) -> int:
    eth = interface(p)
    if rest[:1] in (["set"], ["add"], ["del"], ["delete"], ["flush"], ["up"], ["down"]):
        if rest[0] in ("up", "down"):
            rest = rest[1:]
        else:
            raise Usage("RTNETLINK answers: Operation not permitted\n", 2)
    names = [word for word in rest if word not in ("up", "scope", "global", "primary", "permanent")]
    if names and names[0] not in ("lo", eth):
        raise Usage(f'Device "{names[0]}" does not exist.\n')
    net, address, mac = network(p), p.host.address, p.host.mac
    if "b" in flags:
        for name, state, text in (("lo", "UNKNOWN", "127.0.0.1/8 "), (eth, "UP", f"{address}/{net.prefixlen} ")):
            if names and name not in names:
                continue
            link = "00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> " if name == "lo" else f"{mac} <BROADCAST,MULTICAST,UP,LOWER_UP> "
            p.out(f"{name:<16} {state:<14} {link if bare else text}\n")
        return 0
    mode = " mode DEFAULT" if bare else ""
    inside = contained(p.host.persona)
    tail = "" if inside else " qlen 1000"
    # One end of a pair names the other, which is in a namespace of its own.
    label, pair = (f"{eth}@if{5 + int(60 * p.host.random('pair'))}", " link-netnsid 0") if inside else (eth, "")
    blocks = [
        ("lo", 1, f"{LO}{mode} group default qlen 1000", "link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00", ["inet 127.0.0.1/8 scope host lo"]),
        (eth, 2, f"{label}: {ETH.format(queue=queue(p))}{mode} group default{tail or ' '}", f"link/ether {mac} brd ff:ff:ff:ff:ff:ff{pair}", [f"inet {address}/{net.prefixlen} brd {net.broadcast_address} scope global {eth}"]),
    ]
    for name, index, title, link, inets in blocks:
        if names and name not in names or "6" in flags:
            continue
        if "o" in flags and bare:
            p.out(f"{index}: {title}\\    {link}\n")
            continue
        if "o" in flags:
            for inet in inets:
                p.out(f"{index}: {name:<7}{inet}\\       valid_lft forever preferred_lft forever\n".replace("inet ", "inet ", 1))
            continue
        p.out(f"{index}: {title}\n")
        if "4" not in flags or bare:
            p.out(f"    {link}\n")
        if "s" in flags:
            rx, rx_count, tx, tx_count = counters(p) if name != "lo" else (0, 0, 0, 0)
            p.out(f"    RX:  bytes packets errors dropped  missed   mcast           \n    {rx:>10} {rx_count:>7}      0       0       0       0 \n    TX:  bytes packets errors dropped carrier collsns           \n    {tx:>10} {tx_count:>7}      0       0       0       0 \n")
        if not bare:
            for inet in inets:
                p.out(f"    {inet}\n       valid_lft forever preferred_lft forever\n")
    return 0


def routes(p: Process, rest: list[str]) -> int:
    eth, net = interface(p), network(p)
    default = f"default via {p.host.gateway} dev {eth} \n"
    if rest[:1] == ["get"]:
        target = rest[1] if len(rest) > 1 else p.host.gateway
        if target.startswith("127.") or target == p.host.address:
            p.out(f"local {target} dev lo src {target if target.startswith('127.') else p.host.address} uid {p.account.uid} \n    cache <local> \n")
        else:
            via = "" if ipaddress.ip_address(target) in net else f"via {p.host.gateway} "
            p.out(f"{target} {via}dev {eth} src {p.host.address} uid {p.account.uid} \n    cache \n")
        return 0
    if rest[:1] in (["add"], ["del"], ["replace"], ["flush"]):
        raise Usage("RTNETLINK answers: Operation not permitted\n", 2)
    p.out(default)
    if rest[:1] != ["default"]:
        p.out(f"{net} dev {eth} proto kernel scope link src {p.host.address} \n")
    return 0


async def ifconfig(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    eth, net = interface(p), network(p)
    if names and names[0] not in ("lo", eth):
        raise Usage(f"{names[0]}: error fetching interface information: Device not found\n")
    if len(names) > 1:
        raise Usage("SIOCSIFFLAGS: Operation not permitted\n", 255)
    rx, rx_count, tx, tx_count = counters(p)
    inside = contained(p.host.persona)
    blocks = {
        eth: f"{eth}: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500\n"
        f"        inet {p.host.address}  netmask {net.netmask}  broadcast {net.broadcast_address}\n"
        f"        ether {p.host.mac}  txqueuelen {0 if inside else 1000}  (Ethernet)\n",
        "lo": "lo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536\n        inet 127.0.0.1  netmask 255.0.0.0\n        loop  txqueuelen 1000  (Local Loopback)\n",
    }
    for name, text in blocks.items():
        if names and name != names[0]:
            continue
        a, b, c, d = (rx_count, rx, tx_count, tx) if name == eth else (0, 0, 0, 0)
        p.out(
            f"{text}        RX packets {a}  bytes {b} ({easy(b)})\n        RX errors 0  dropped 0  overruns 0  frame 0\n"
            f"        TX packets {c}  bytes {d} ({easy(d)})\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n"
        )
    return 0


def easy(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.1f} {unit}"
        size /= 1024
    return ""


async def route(p: Process) -> int:
    if any(word in ("add", "del") for word in p.args[1:]):
        raise Usage("SIOCADDRT: Operation not permitted\n", 7)
    numeric = any("n" in word for word in p.args[1:])
    net, eth = network(p), interface(p)
    zero = "0.0.0.0" if numeric else "default"
    p.out("Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
    p.out(f"{zero:<15} {p.host.gateway:<15} {'0.0.0.0':<15} UG    0      0        0 {eth}\n")
    p.out(f"{net.network_address!s:<15} {'0.0.0.0':<15} {net.netmask!s:<15} U     0      0        0 {eth}\n")
    return 0


async def arp(p: Process) -> int:
    known = neighbours(p)
    if "-a" in p.args:
        for address, mac in known:
            p.out(f"? ({address}) at {mac} [ether] on {interface(p)}\n")
        return 0
    if known:
        p.out("Address                  HWtype  HWaddress           Flags Mask            Iface\n")
    for address, mac in known:
        p.out(f"{address:<24} ether   {mac}   C                     {interface(p)}\n")
    return 0


COMMANDS = {"ip": ip, "ifconfig": ifconfig, "route": route, "arp": arp}
