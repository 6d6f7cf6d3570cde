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
        if service.kind not in ("snmp", "ntp", "tftp", "netbios", "mdns", "llmnr"):
            add(service.port, programs.get(service.kind, (service.kind,)))
    return found


def connections(p: Process) -> list[tuple[int, str, int, tuple[int, ...]]]:
    """Who is connected: own port, address and port of the other end, processes."""
    known = getattr(p.host, "connections", None)
    if known is not None:
        return known()  # type: ignore[no-any-return]
    cells = p.env.get("SSH_CONNECTION", "").split()
    return [(22, cells[0], int(cells[1]), (p.ppid,))] if len(cells) == 4 else []


def connection(p: Process) -> tuple[str, int] | None:
    """Address and port of a client."""
    return next(((address, port) for _, address, port, _ in connections(p)), None)


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
    if "p" in flags and p.account.uid:
        p.stderr.write(f"(No info could be read for \"-p\": geteuid()={p.account.uid} but you should be root.)\n".encode())
    wants = [kind for kind, letter in (("tcp", "t"), ("udp", "u")) if letter in flags] or ["tcp", "udp"]
    what = "only servers" if "l" in flags else "servers and established" if "a" in flags else "w/o servers"
    extra = "PID/Program name    " if "p" in flags else ""
    p.out(f"Active Internet connections ({what})\nProto Recv-Q Send-Q Local Address           Foreign Address         State      {' ' if extra else ''}{extra}\n".replace("State       PID", "State       PID"))
    numeric = "n" in flags

    def row(kind: str, local: str, remote: str, state: str, program: str) -> None:
        tail = f" {program:<20}" if "p" in flags else ""
        p.out(f"{kind:<6}     0      0 {local:<23} {remote:<23} {state:<11}{tail}\n")

    root = p.account.uid == 0
    commands = {one.pid: one.command for one in rows_of(p)}

    def called(pid: int, name: str) -> str:
        return commands[pid] if name in commands.get(pid, "") else name

    listening = listeners(p) if "tcp" in wants and ("l" in flags or "a" in flags) else []
    after = [one for one in listening if one[0] == "tcp6"]
    for kind, address, port, name, pid in listening:
        if kind == "tcp":
            shown = str(port) if numeric else {22: "ssh", 23: "telnet", 80: "http"}.get(port, str(port))
            row(kind, f"{address}:{shown}", "0.0.0.0:*", "LISTEN", f"{pid}/{called(pid, name)}"[:19] if root else "-")
    if "tcp" in wants and "l" not in flags:
        for port, address, theirs, pids in connections(p):
            shown = str(port) if numeric else {22: "ssh", 23: "telnet"}.get(port, str(port))
            row("tcp", f"{p.host.address}:{shown}", f"{address}:{theirs}", "ESTABLISHED", f"{pids[0]}/{commands.get(pids[0], 'sshd')}"[:19] if root else "-")
    for kind, address, port, name, pid in after:
        shown = str(port) if numeric else {22: "ssh", 23: "telnet", 80: "http"}.get(port, str(port))
        row(kind, f"{address}:{shown}", ":::*", "LISTEN", f"{pid}/{called(pid, name)}"[:19] if root else "-")
    if not any(letter in flags for letter in "tu"):
        p.out(f"Active UNIX domain sockets ({what})\nProto RefCnt Flags       Type       State         I-Node   {'PID/Program name     ' if extra else ''}Path\n")
    return 0


async def ss(p: Process) -> int:
    flags = "".join(word.lstrip("-") for word in p.args[1:] if not word.startswith("--"))
    found, here = listeners(p), connections(p)
    if "s" in flags:
        p.out(f"Total: {len(found) + 90}\nTCP:   {len(found) + len(here)} (estab {len(here)}, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\nRAW\t  0         0         0        \nUDP\t  0         0         0        \n")
        return 0
    tcp = "t" in flags or not set("uwx") & set(flags)
    programs = "p" in flags and p.account.uid == 0
    named = {22: "ssh", 23: "telnet", 80: "http", 443: "https"} if "n" not in flags else {}
    rows: list[tuple[str, ...]] = []
    listening = [one for one in found if tcp and ("l" in flags or "a" in flags)]

    def listen(family: str) -> None:
        for kind, address, port, name, pid in listening:
            if kind == family:
                process = f' users:(("{name}",pid={pid},fd={3 if kind == "tcp" else 4}))' if programs else ""
                host, anywhere = (address, "0.0.0.0") if kind == "tcp" else (f"[{address}]", "[::]")
                rows.append(("tcp", "LISTEN", "0", "128", host, named.get(port, str(port)), anywhere, "*", process))

    listen("tcp")
    for port, address, theirs, pids in here if tcp and "l" not in flags else ():
        users = ",".join(f'("sshd",pid={pid},fd=4)' for pid in pids)
        rows.append(("tcp", "ESTAB", "0", "0", p.host.address, named.get(port, str(port)), address, str(theirs), f" users:({users})" if programs else ""))
    listen("tcp6")
    heads = ("Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port", "Process")
    width = [max(len(line[at]) for line in [heads, *rows]) for at in range(len(heads))]
    several = not ("t" in flags) or "u" in flags
    for line in [heads, *rows]:
        if line is heads and "H" in flags:
            continue
        cells = [f"{line[at]:<{width[at]}}" for at in range(0 if several else 1, 4)]
        local = f"{line[4]:>{width[4]}}:{line[5]:<{width[5]}}"
        peer = f"{line[6]:>{width[6]}}:{line[7]:<{width[7]}}"
        p.out(f"{' '.join(cells)} {local} {peer}{line[8]:<{width[8]}}\n")
    return 0


COMMANDS = {"netstat": netstat, "ss": ss}
