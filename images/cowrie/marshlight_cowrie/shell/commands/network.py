"""The one interface of the host and what goes over it: ip ifconfig route arp netstat ss ping and look-ups that fail."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from .options import Usage
from .processes import comm, rows_of

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
    return "noqueue" if p.host.persona.hardware.vendor == "Docker" else "mq" if p.host.persona.hardware.cores > 1 else "pfifo_fast"


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
    tail = "" if p.host.persona.hardware.vendor == "Docker" else " qlen 1000"
    blocks = [
        ("lo", 1, f"{LO}{mode} group default qlen 1000", "link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00", ["inet 127.0.0.1/8 scope host lo"]),
        (eth, 2, f"{eth}: {ETH.format(queue=queue(p))}{mode} group default{tail or ' '}", f"link/ether {mac} brd ff:ff:ff:ff:ff:ff", [f"inet {address}/{net.prefixlen} brd {net.broadcast_address} scope global {eth}"]),
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
    docker = p.host.persona.hardware.vendor == "Docker"
    blocks = {
        eth: f"{eth}: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500\n"
        f"        inet {p.host.address}  netmask {net.netmask}  broadcast {net.broadcast_address}\n"
        f"        ether {p.host.mac}  txqueuelen {0 if docker else 1000}  (Ethernet)\n",
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


def listeners(p: Process) -> list[tuple[str, str, int, str, int]]:
    """Protocol, address, port, program, pid of what listens: SSH, telnet and the persona's services."""
    persona = p.host.persona
    table = {comm(row.command): row.pid for row in reversed(rows_of(p))}
    found: list[tuple[str, str, int, str, int]] = []

    def add(port: int, names: tuple[str, ...], both: bool = True) -> None:
        name = next((name for name in names if name in table), names[0])
        found.append(("tcp", "0.0.0.0", port, name, table.get(name, 1)))
        if both:
            found.append(("tcp6", "::", port, name, table.get(name, 1)))

    if persona.ssh is not None:
        add(22, ("sshd", "dropbear"))
    if persona.telnet is not None:
        add(23, ("inetd", "telnetd", "busybox"), False)
    programs = {
        "http": ("nginx", "apache2", "httpd", "lighttpd", "uhttpd"), "https": ("nginx", "apache2", "httpd"), "ftp": ("vsftpd", "proftpd"),
        "smb": ("smbd",), "mysql": ("mysqld", "mariadbd"), "postgres": ("postgres",), "redis": ("redis-server",), "mqtt": ("mosquitto",),
    }  # fmt: skip
    for service in getattr(persona, "services", ()):
        if service.kind not in ("snmp", "ntp", "tftp", "netbios", "mdns"):
            add(service.port, programs.get(service.kind, (service.kind,)))
    return found


def connection(p: Process) -> tuple[str, int] | None:
    peer = getattr(p.session, "peer", None) or getattr(p.session, "address", None)
    if not peer and p.env.get("SSH_CONNECTION"):
        cells = p.env["SSH_CONNECTION"].split()
        return cells[0], int(cells[1])
    return (str(peer), int(getattr(p.session, "port", 50000) or 50000)) if peer else None


def ends(address: str, port: int | str) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


async def netstat(p: Process) -> int:
    flags = "".join(word.lstrip("-") for word in p.args[1:] if not word.startswith("--"))
    if "r" in flags:
        net, eth = network(p), interface(p)
        p.out("Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n")
        p.out(f"{'0.0.0.0' if 'n' in flags else 'default':<15} {p.host.gateway:<15} {'0.0.0.0':<15} UG        0 0          0 {eth}\n")
        p.out(f"{net.network_address!s:<15} {'0.0.0.0':<15} {net.netmask!s:<15} U         0 0          0 {eth}\n")
        return 0
    if "i" in flags:
        rx, rx_count, tx, tx_count = counters(p)
        p.out("Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n")
        p.out(f"{interface(p):<16} 1500 {rx_count:8d}      0      0 0      {tx_count:8d}      0      0      0 BMRU\n")
        p.out("lo              65536        0      0      0 0             0      0      0      0 LRU\n")
        return 0
    wants = [kind for kind, letter in (("tcp", "t"), ("udp", "u")) if letter in flags] or ["tcp", "udp"]
    what = "only servers" if "l" in flags else "servers and established" if "a" in flags else "w/o servers"
    extra = "PID/Program name    " if "p" in flags else ""
    p.out(f"Active Internet connections ({what})\nProto Recv-Q Send-Q Local Address           Foreign Address         State      {' ' if extra else ''}{extra}\n".replace("State       PID", "State       PID"))
    numeric = "n" in flags

    def row(kind: str, local: str, remote: str, state: str, program: str) -> None:
        tail = f" {program:<20}" if "p" in flags else ""
        p.out(f"{kind:<6}     0      0 {local:<23} {remote:<23} {state:<11}{tail}\n")

    if "tcp" in wants and ("l" in flags or "a" in flags):
        for kind, address, port, name, pid in listeners(p):
            shown = str(port) if numeric else {22: "ssh", 23: "telnet", 80: "http"}.get(port, str(port))
            row(kind, f"{address}:{shown}", "0.0.0.0:*" if kind == "tcp" else ":::*", "LISTEN", f"{pid}/{name}" if p.account.uid == 0 else "-")
    peer = connection(p)
    if "tcp" in wants and "l" not in flags and peer:
        row("tcp", f"{p.host.address}:22", f"{peer[0]}:{peer[1]}", "ESTABLISHED", f"{p.ppid}/sshd: {p.account.name}")
    if not any(letter in flags for letter in "tu"):
        p.out(f"Active UNIX domain sockets ({what})\nProto RefCnt Flags       Type       State         I-Node   {'PID/Program name     ' if extra else ''}Path\n")
    return 0


async def ss(p: Process) -> int:
    flags = "".join(word.lstrip("-") for word in p.args[1:] if not word.startswith("--"))
    found = listeners(p)
    peer = connection(p)
    if "s" in flags:
        p.out(f"Total: {len(found) + 90}\nTCP:   {len(found) + bool(peer)} (estab {int(bool(peer))}, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\nRAW\t  0         0         0        \nUDP\t  0         0         0        \n")
        return 0
    rows = []
    if "l" in flags or "a" in flags:
        for kind, address, port, name, pid in found:
            if "u" in flags and "t" not in flags:
                continue
            process = f'users:(("{name}",pid={pid},fd={3 if kind == "tcp" else 4}))' if "p" in flags and p.account.uid == 0 else ""
            rows.append(("tcp", "LISTEN", "128", ends(address, port), ends("0.0.0.0" if kind == "tcp" else "::", "*"), process))
    if "l" not in flags and peer:
        process = f'users:(("sshd",pid={p.ppid},fd=4))' if "p" in flags else ""
        rows.append(("tcp", "ESTAB", "0", f"{p.host.address}:22", f"{peer[0]}:{peer[1]}", process))
    several = not ("t" in flags) or "u" in flags
    heads = (["Netid"] if several else []) + ["State", "Recv-Q", "Send-Q"]
    local_width = max([18, *(len(row[3]) for row in rows)])
    title = " ".join(f"{head:<6}" for head in heads)
    p.out(f"{title} {'Local Address:Port':>{local_width}}  Peer Address:Port{'Process' if 'l' in flags else ' Process'}{' ' * 22 if 'p' in flags else ''}\n")
    for kind, state, queued, local, remote, process in rows:
        cells = ([f"{kind:<6}"] if several else []) + [f"{state:<6}", f"{0:<6}", f"{queued:<6}"]
        p.out(f"{' '.join(cells)} {local:>{local_width}}  {remote:>17}{process}\n")
    return 0


async def ping(p: Process) -> int:
    names = [word for index, word in enumerate(p.args[1:]) if not word.startswith("-") and p.args[index] not in ("-c", "-W", "-w", "-i", "-s", "-I", "-t")]
    if not names:
        raise Usage("ping: usage error: Destination address required\n")
    try:
        address = ipaddress.ip_address(names[-1])
    except ValueError:
        await p.host.sleep(2)
        raise Usage(f"ping: {names[-1]}: Temporary failure in name resolution\n", 2) from None
    p.out(f"PING {address} ({address}) 56(84) bytes of data.\n")
    own = str(address) in (p.host.address, "127.0.0.1")
    count = next((int(p.args[i + 1]) for i, word in enumerate(p.args[:-1]) if word == "-c" and p.args[i + 1].isdigit()), 4)
    for number in range(1, min(count, 20) + 1):
        if own:
            p.out(f"64 bytes from {address}: icmp_seq={number} ttl={p.host.persona.ttl} time=0.0{21 + number} ms\n")
        await p.host.sleep(1)
    lost = 0 if own else 100
    p.out(f"\n--- {address} ping statistics ---\n{count} packets transmitted, {count if own else 0} received, {lost}% packet loss, time {(count - 1) * 1012}ms\n\n")
    return 0 if own else 1


async def look_up(p: Process) -> int:
    kind = p.args[0].rsplit("/", 1)[-1]
    await p.host.sleep(5)
    if kind == "dig":
        p.out("\n; <<>> DiG 9.18.28-1~deb12u2-Debian <<>> " + " ".join(p.args[1:]) + "\n;; global options: +cmd\n;; no servers could be reached\n" if "+short" not in p.args else ";; communications error to 127.0.0.53#53: timed out\n;; no servers could be reached\n")
        return 9
    p.out(";; connection timed out; no servers could be reached\n\n" if kind == "nslookup" else ";; connection timed out; no servers could be reached\n")
    return 1


COMMANDS = {
    **{"ip": ip, "ifconfig": ifconfig, "route": route, "arp": arp, "netstat": netstat, "ss": ss, "ping": ping},
    **{"dig": look_up, "nslookup": look_up, "host": look_up},
}
