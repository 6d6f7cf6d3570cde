"""What listens and who is connected: netstat ss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .network import counters, interface, network
from .processes import comm, rows_of

if TYPE_CHECKING:
    from ..ports import Process


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


COMMANDS = {"netstat": netstat, "ss": ss}
