"""What the kernel shows in /proc and changes by itself: pure, from persona, address and time."""

from __future__ import annotations

import hashlib
import ipaddress
import math
from typing import TYPE_CHECKING

from . import firmware
from .kind import small

if TYPE_CHECKING:
    from ..persona import Persona

FILE_SYSTEMS = "sysfs tmpfs bdev proc cgroup cgroup2 cpuset devtmpfs configfs debugfs tracefs securityfs sockfs bpf pipefs ramfs hugetlbfs devpts mqueue pstore autofs fuse fusectl"
MOUNTS = """sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
udev /dev devtmpfs rw,nosuid,relatime,size={half}k,nr_inodes={inodes},mode=755,inode64 0 0
devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000 0 0
tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size={tenth}k,mode=755,inode64 0 0
/dev/sda1 / ext4 rw,relatime,errors=remount-ro 0 0
securityfs /sys/kernel/security securityfs rw,nosuid,nodev,noexec,relatime 0 0
tmpfs /dev/shm tmpfs rw,nosuid,nodev,inode64 0 0
tmpfs /run/lock tmpfs rw,nosuid,nodev,noexec,relatime,size=5120k,inode64 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0
pstore /sys/fs/pstore pstore rw,nosuid,nodev,noexec,relatime 0 0
bpf /sys/fs/bpf bpf rw,nosuid,nodev,noexec,relatime,mode=700 0 0
systemd-1 /proc/sys/fs/binfmt_misc autofs rw,relatime,fd=30,pgrp=1,timeout=0,minproto=5,maxproto=5,direct 0 0
mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime 0 0
debugfs /sys/kernel/debug debugfs rw,nosuid,nodev,noexec,relatime 0 0
tracefs /sys/kernel/tracing tracefs rw,nosuid,nodev,noexec,relatime 0 0
fusectl /sys/fs/fuse/connections fusectl rw,nosuid,nodev,noexec,relatime 0 0
"""

#: Of a device whose system stands in flash: squashfs, and what was changed over it.
FLASH_MOUNTS = """/dev/root /rom squashfs ro,relatime,errors=continue 0 0
proc /proc proc rw,nosuid,nodev,noexec,noatime 0 0
sysfs /sys sysfs rw,nosuid,nodev,noexec,noatime 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0
tmpfs /tmp tmpfs rw,nosuid,nodev,noatime 0 0
/dev/mtdblock6 /overlay jffs2 rw,noatime 0 0
overlayfs:/overlay / overlay rw,noatime,lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work 0 0
tmpfs /dev tmpfs rw,nosuid,noexec,noatime,size=512k,mode=755 0 0
devpts /dev/pts devpts rw,nosuid,noexec,noatime,mode=600,ptmxmode=000 0 0
debugfs /sys/kernel/debug debugfs rw,noatime 0 0
bpffs /sys/fs/bpf bpf rw,nosuid,nodev,noexec,noatime,mode=700 0 0
"""


def mounts(persona: Persona) -> str:
    memory = persona.hardware.memory_kb
    if persona.os.id == "openwrt":
        return FLASH_MOUNTS
    if small(persona):
        return firmware.MOUNTS
    return MOUNTS.format(half=memory // 2, tenth=memory // 10, inodes=memory // 8)


def draw(persona: Persona, name: str) -> float:
    return int(hashlib.sha256(f"{persona.seed} {name}".encode()).hexdigest()[:13], 16) / (1 << 52)


def wave(persona: Persona, name: str, period: float, now: float) -> float:
    """Between 0 and 1, slowly changing with the clock."""
    phase = draw(persona, name) * math.tau
    moment = now / period * math.tau
    return (math.sin(moment + phase) + math.sin(moment * 2.7 + phase * 3) + 2) / 4


def loads(persona: Persona, now: float) -> tuple[float, float, float]:
    """Of 1, 5 and 15 minutes; a machine that works is never at 0.00 for long."""
    base = 0.02 + 0.25 * draw(persona, "load") * min(persona.hardware.cores, 4)
    short, middle, long = (base * (0.4 + 1.2 * wave(persona, f"load {period}", period, now)) for period in (300, 900, 2700))
    return round(short, 2), round((short + 2 * middle) / 3, 2), round((middle + 2 * long) / 3, 2)


def texts(persona: Persona, address: str, now: float, highest: int) -> dict[str, str]:
    up = max(1.0, now - persona.booted_at)
    cores = persona.hardware.cores
    load = loads(persona, now)
    idle = up * cores * (1 - min(0.9, load[2] / cores))
    made = {
        "/proc/uptime": f"{up:.2f} {idle:.2f}\n",
        "/proc/loadavg": f"{load[0]:.2f} {load[1]:.2f} {load[2]:.2f} 1/{len(persona.processes) + 87} {highest + int(now // 7) % 9000}\n",
        "/proc/mounts": mounts(persona),
        "/proc/filesystems": "".join(f"nodev\t{name}\n" for name in FILE_SYSTEMS.split()) + "\text3\n\text2\n\text4\n",
        "/proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
        "/proc/partitions": f"major minor  #blocks  name\n\n   8        0 {62914560:10d} sda\n   8        1 {62912512:10d} sda1\n",
        "/proc/cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{persona.os.kernel.release} root=/dev/sda1 ro quiet\n",
        "/proc/sys/kernel/ostype": f"{persona.os.kernel.name}\n",
        "/proc/sys/kernel/version": f"{persona.os.kernel.build}\n",
        "/proc/sys/kernel/pid_max": f"{most_pid(persona)}\n",
        "/proc/sys/kernel/randomize_va_space": "2\n",
        "/proc/sys/vm/swappiness": "60\n",
        "/proc/sys/net/ipv4/ip_forward": "0\n",
        "/proc/stat": stat(persona, up, idle, highest),
    }
    made["/etc/mtab"] = made["/proc/mounts"]
    return {**made, **network(persona, address, up)}


def most_pid(persona: Persona) -> int:
    """Numbers of processes begin again there: include/linux/threads.h; systemd asks for all of a 64-bit machine."""
    return 4_194_304 if "64" in persona.os.kernel.machine else 32_768


def stat(persona: Persona, up: float, idle: float, highest: int) -> str:
    cores = persona.hardware.cores
    busy = int((up * cores - idle) * 100)
    row = f"{busy * 6 // 10} {busy // 100} {busy * 3 // 10} {int(idle * 100)} {busy // 50} 0 {busy // 70} 0 0 0"
    single = [str(int(value) // cores) for value in row.split()]
    lines = [f"cpu  {row}", *(f"cpu{core} {' '.join(single)}" for core in range(cores))]
    lines += [f"intr {int(up * 180)}", f"ctxt {int(up * 320)}", f"btime {int(persona.booted_at)}", f"processes {highest + int(up / 11)}"]
    return "\n".join([*lines, "procs_running 1", "procs_blocked 0", f"softirq {int(up * 90)} 0 0 0 0 0 0 0 0 0 0"]) + "\n"


def network(persona: Persona, address: str, up: float) -> dict[str, str]:
    rx, tx = (int(max(60.0, up) * (600 + 6000 * draw(persona, name))) for name in ("rx", "tx"))
    net = ipaddress.IPv4Network(f"{address}/24", strict=False)
    gateway = address.rsplit(".", 1)[0] + ".1"

    def little(text: object) -> str:
        return ipaddress.IPv4Address(str(text)).packed[::-1].hex().upper()

    devices = (("lo", 0, 0), ("eth0", rx, tx))
    rows = "".join(
        f"{name:>6}: {a:7d} {a // 412 + bool(a):7d}    0    0    0     0          0         0 {b:8d} {b // 305 + bool(b):7d}    0    0    0     0       0          0\n"
        for name, a, b in devices
    )
    pad = " " * 55
    ports = [service.port for service in persona.services]
    ports = sorted({*ports, *([22] if persona.ssh else []), *([23] if persona.telnet else [])})
    listening = "".join(
        f"{number:4d}: 00000000:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {17000 + port % 977} 1 0000000000000000 100 0 0 10 0                     \n"
        for number, port in enumerate(ports)
    )
    heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode" + " " * 53 + "\n"
    tail = ":".join(f"{int(draw(persona, f'gw{part}') * 255):02x}" for part in range(3))
    oui = f"02:00:{int(draw(persona, 'gateway') * 255):02x}"
    return {
        "/proc/net/dev": "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n" + rows,
        "/proc/net/route": f"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT{pad}\n"
        f"eth0\t00000000\t{little(gateway)}\t0003\t0\t0\t0\t00000000\t0\t0\t0{' ' * 79}\n"
        f"eth0\t{little(net.network_address)}\t00000000\t0001\t0\t0\t0\t{little(net.netmask)}\t0\t0\t0{' ' * 79}\n",
        "/proc/net/arp": "IP address       HW type     Flags       HW address            Mask     Device\n"
        f"{gateway:<17}0x1         0x2         {oui}:{tail}     *        eth0\n",
        "/proc/net/tcp": heading + listening,
        "/proc/net/udp": heading.replace("  sl", "   sl"),
    }


def comm(command: str) -> str:
    """The name that the kernel has for it; a thread of its own stands in brackets."""
    if command.startswith("["):
        return command.strip("[]")[:15]
    first = command.split(" ")[0]
    return first.strip("[]").rstrip(":").rsplit("/", 1)[-1][:15] if "[" not in first[1:] else first[:15]
