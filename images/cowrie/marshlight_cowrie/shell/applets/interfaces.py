"""The network as BusyBox shows it: ifconfig route arp netstat ip hostname."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...machine.kind import contained
from ..commands.network import counters, interface, neighbours, network
from ..commands.options import Usage
from ..commands.sockets import connection, listeners
from .gnu import gnu
from .modules import say
from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process


def easy(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.1f} {unit}"
        size /= 1024
    return ""


async def ifconfig(p: Process) -> int:
    words = [word for word in p.args[1:] if word != "-a"]
    eth, net = interface(p), network(p)
    if any(word.startswith("-") for word in words):
        raise refusal(p, "ifconfig", f"invalid option -- '{words[0][1:2]}'")
    if words and words[0] not in ("lo", eth):
        if len(words) > 1:
            say(p, "SIOCSIFADDR: No such device" if "." in words[1] else "SIOCGIFFLAGS: No such device")
        else:
            say(p, f"{words[0]}: error fetching interface information: Device not found")
        return 1
    if len(words) > 1:
        if p.account.uid:
            say(p, "SIOCSIFFLAGS: Operation not permitted")
            return 1
        return 0
    rx, rx_count, tx, tx_count = counters(p)
    for name, kind, address, state, figures in (
        (eth, f"Ethernet  HWaddr {p.host.mac.upper()}  ", f"{p.host.address}  Bcast:{net.broadcast_address}  Mask:{net.netmask}", "UP BROADCAST RUNNING MULTICAST  MTU:1500", (rx, rx_count, tx, tx_count)),
        ("lo", "Local Loopback  ", "127.0.0.1  Mask:255.0.0.0", "UP LOOPBACK RUNNING  MTU:65536", (0, 0, 0, 0)),
    ):
        if words and words[0] != name:
            continue
        a, b, c, d = figures
        queue = 0 if name == eth and contained(p.host.persona) else 1000
        p.out(
            f"{name:<9} Link encap:{kind}\n          inet addr:{address}\n{v6(p, name)}          {state}  Metric:1\n"
            f"          RX packets:{b} errors:0 dropped:0 overruns:0 frame:0\n"
            f"          TX packets:{d} errors:0 dropped:0 overruns:0 carrier:0\n"
            f"          collisions:0 txqueuelen:{queue} \n          RX bytes:{a} ({easy(a)})  TX bytes:{c} ({easy(c)})\n\n"
        )
    return 0


def v6(p: Process, name: str) -> str:
    """Where the kernel has the protocol, each interface has an address of it."""
    try:
        text = p.fs.read("/proc/net/if_inet6").decode("ascii", "replace")
    except OSError:
        return ""
    made = ""
    for row in text.splitlines():
        address, _, prefix, scope, _, device = row.split()
        if device == name:
            import ipaddress

            kind = {"00": "Global", "10": "Host", "20": "Link"}.get(scope, "Global")
            made += f"          inet6 addr: {ipaddress.IPv6Address(bytes.fromhex(address))}/{int(prefix, 16)} Scope:{kind}\n"
    return made


async def route(p: Process) -> int:
    words = [word for word in p.args[1:] if not word.startswith("-")]
    if words[:1] in (["add"], ["del"], ["delete"]):
        if len(words) < 2:
            raise refusal(p, "route")
        if p.account.uid:
            say(p, f"SIOC{'ADD' if words[0] == 'add' else 'DEL'}RT: Operation not permitted")
            return 1
        return 0
    if words:
        raise refusal(p, "route")
    numeric = "n" in "".join(p.args[1:])
    net, eth = network(p), interface(p)
    p.out("Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
    if p.host.gateway:
        p.out(f"{'0.0.0.0' if numeric else 'default':<15} {p.host.gateway:<15} {'0.0.0.0':<15} UG    0      0        0 {eth}\n")
    p.out(f"{net.network_address!s:<15} {'0.0.0.0' if numeric else '*':<15} {net.netmask!s:<15} U     0      0        0 {eth}\n")
    return 0


async def arp(p: Process) -> int:
    for address, mac in neighbours(p):
        p.out(f"? ({address}) at {mac} [ether]  on {interface(p)}\n")
    return 0


async def netstat(p: Process) -> int:
    flags = "".join(word.lstrip("-") for word in p.args[1:])
    net, eth = network(p), interface(p)
    numeric = "n" in flags
    if "r" in flags:
        p.out("Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n")
        if p.host.gateway:
            p.out(f"{'0.0.0.0' if numeric else 'default':<15} {p.host.gateway:<15} {'0.0.0.0':<15} UG        0 0          0 {eth}\n")
        p.out(f"{net.network_address!s:<15} {'0.0.0.0' if numeric else '*':<15} {net.netmask!s:<15} U         0 0          0 {eth}\n")
        return 0
    what = "only servers" if "l" in flags else "servers and established" if "a" in flags else "w/o servers"
    kinds = [letter for letter in "tuwx" if letter in flags] or ["t", "u", "w", "x"]
    programs = "p" in flags
    if set("tuw") & set(kinds):
        p.out(f"Active Internet connections ({what})\nProto Recv-Q Send-Q Local Address           Foreign Address         State       {'PID/Program name    ' if programs else ''}\n")
    names = {22: "ssh", 23: "telnet", 53: "domain", 80: "http", 443: "https"}

    def row(local: str, remote: str, state: str, program: str, kind: str = "tcp") -> None:
        p.out(f"{kind:<5} {0:6d} {0:6d} {local:<23} {remote:<23} {state:<12}{program if programs else ''}\n")

    if "t" in kinds:
        for kind, address, port, name, pid in listeners(p) if "l" in flags or "a" in flags else ():
            shown = str(port) if numeric else names.get(port, str(port))
            row(f"{address}:{shown}", "0.0.0.0:*" if kind == "tcp" else ":::*", "LISTEN", f"{pid}/{name}" if p.account.uid == 0 else "-", "tcp")
        peer = connection(p)
        if peer and "l" not in flags:
            port = 22 if p.env.get("SSH_CONNECTION") else 23
            row(f"{p.host.address}:{port if numeric else names[port]}", f"{peer[0]}:{peer[1]}", "ESTABLISHED", f"{p.ppid}/{'dropbear' if port == 22 else 'telnetd'}")
    if "x" in kinds:
        p.out(f"Active UNIX domain sockets ({what})\nProto RefCnt Flags       Type       State         I-Node {'PID/Program name    ' if programs else ''}Path\n")
    return 0


async def ip(p: Process) -> int:
    """The words are iproute2's, shorter: no groups, no modes."""
    objects = ("address", "route", "link", "tunnel", "neigh", "rule")
    words = [word for word in p.args[1:] if not word.startswith("-")]
    if not words or not any(name.startswith(words[0]) for name in objects):
        raise refusal(p, "ip")
    held, below = bytearray(), p.stdout

    class Held:
        is_tty = False

        def write(self, data: bytes) -> None:
            held.extend(data)

    p.stdout = Held()  # type: ignore[assignment]
    try:
        status = await gnu("ip")(p)
    except Usage as failure:
        # `Device "x" does not exist.` is said in fewer words.
        lead = failure.text.split("\n", 1)[0]
        if lead.startswith("Device "):
            say(p, f"can't find device {lead.split(chr(34))[1]!r}")
        elif "not permitted" in lead and p.account.uid == 0:
            return 0
        else:
            say(p, lead)
        return 1
    finally:
        p.stdout = below
    text = held.decode("utf-8", "surrogateescape")
    for gone in (" state UNKNOWN", " mode DEFAULT", " group default", " link-netnsid 0"):
        text = text.replace(gone, "")
    p.out(text.replace(" state UP", ""))
    return status


async def hostname(p: Process) -> int:
    words = [word for word in p.args[1:] if not word.startswith("-")]
    flags = "".join(word[1:] for word in p.args[1:] if word.startswith("-") and word != "--")
    wrong = next((letter for letter in flags if letter not in "sidfF"), "")
    if wrong:
        raise refusal(p, "hostname", f"invalid option -- '{wrong}'")
    if words and "F" not in flags:
        if p.account.uid:
            say(p, "sethostname: Operation not permitted")
            return 1
        return 0
    persona = p.host.persona
    if "f" in flags or "d" in flags or "i" in flags:
        if not persona.domain and "i" not in flags and not in_hosts(p, persona.hostname):
            say(p, f"{persona.hostname}: Host name lookup failure")
            return 1
        full = f"{persona.hostname}.{persona.domain}" if persona.domain else persona.hostname
        p.out({"d": persona.domain, "i": p.host.address}.get(flags[-1], full) + "\n")
        return 0
    p.out((persona.hostname.split(".")[0] if "s" in flags else persona.hostname) + "\n")
    return 0


def in_hosts(p: Process, name: str) -> bool:
    try:
        rows = p.fs.read("/etc/hosts").decode("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(name in row.split("#")[0].split()[1:] for row in rows)


COMMANDS = {"ifconfig": ifconfig, "route": route, "arp": arp, "netstat": netstat, "ip": ip, "hostname": hostname}
