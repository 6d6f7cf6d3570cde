"""The persona's machine as the files that programs read: pure, from the persona alone."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from . import firmware, proc_files
from .accounts import accounts, field, group, passwd
from .kernel import texts as kernel_texts
from .kind import small

if TYPE_CHECKING:
    from ..persona import Persona

DEBIAN_LINKS = (("HOME_URL", "www.debian.org"), ("SUPPORT_URL", "www.debian.org/support"), ("BUG_REPORT_URL", "bugs.debian.org"))
X86 = ("x86_64", "i686", "i586")


def files(persona: Persona, address: str, now: float | None = None) -> dict[str, tuple[bytes, int]]:
    """Path -> contents and mode. `address` is the host's own."""
    os, name = persona.os, persona.hostname
    search = f"search {persona.domain}\n" if persona.domain else ""
    full = f"{name}.{persona.domain} {name}" if persona.domain else name
    texts = {
        "/etc/hostname": f"{name}\n",
        "/etc/hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{full}\n\n"
        "# The following lines are desirable for IPv6 capable hosts\n"
        "::1     localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n",
        # A name server that the segment's router may well be.
        "/etc/resolv.conf": f"{search}nameserver {address.rsplit('.', 1)[0]}.1\n",
        "/etc/issue": f"{os.pretty_name.split(' (')[0]} \\n \\l\n\n",
        "/etc/issue.net": persona.issue,
        "/etc/motd": persona.motd,
        "/etc/os-release": os_release(persona),
        "/usr/lib/os-release": os_release(persona),
        "/etc/timezone": f"{persona.timezone}\n",
        "/etc/machine-id": f"{digest(persona, 'machine-id')[:32]}\n",
        "/etc/passwd": passwd(persona),
        "/etc/group": group(persona),
        "/proc/version": proc_version(persona),
        "/proc/cpuinfo": cpuinfo(persona),
        "/proc/meminfo": meminfo(persona),
        "/proc/sys/kernel/hostname": f"{name}\n",
        "/proc/sys/kernel/osrelease": f"{os.kernel.release}\n",
        **kernel_texts(persona, address, time.time() if now is None else now, last_pid(persona)),
    }
    texts |= firmware.release_files(persona)
    if os.id == "debian":
        texts["/etc/debian_version"] = f"{debian_version(persona)}\n"
    made = {path: (text.encode("utf-8", "replace"), mode_of(path)) for path, text in texts.items()}
    small = persona.network is not None and persona.network.stack == "linux-embedded"
    seldom = proc_files.files(persona, max(1.0, (time.time() if now is None else now) - persona.booted_at), small)
    made |= {path: (text.encode(), mode) for path, (text, mode) in seldom.items()}
    # What the tools that change accounts leave behind.
    for path in ("/etc/passwd", "/etc/group"):
        made[f"{path}-"] = made[path]
    made["/etc/shadow"] = (shadow(persona).encode("ascii", "replace"), 0o640)
    return made


def mode_of(path: str) -> int:
    """What the kernel shows may be read; its switches may be set."""
    return 0o444 if path.startswith("/proc/") and not path.startswith("/proc/sys/") else 0o644


def shadow(persona: Persona) -> str:
    """Hashes look like the distribution's and belong to nothing: what opens the account is never in here."""
    hashed = firmware.md5_crypt if small(persona) else yescrypt
    open_ = {user.name for user in persona.users if user.passwords}
    human = {user.name for user in persona.users}
    day = int(persona.booted_at // 86400) - 40
    rows = []
    for name, *_ in accounts(persona):
        secret = hashed(persona, name) if name in open_ else "!" if name in human else "*"
        rows.append(f"{field(name)}:{secret}:{day}:0:99999:7:::\n")
    return "".join(rows)


def yescrypt(persona: Persona, name: str) -> str:
    alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    raw = hashlib.shake_256(f"{persona.seed} shadow {name}".encode()).digest(65)
    letters = "".join(alphabet[byte & 63] for byte in raw)
    return f"$y$j9T${letters[:22]}${letters[22:65]}"


def os_release(persona: Persona) -> str:
    os = persona.os
    number = os.version.split(" ")[0].strip('"')
    head = f'PRETTY_NAME="{os.pretty_name}"\nNAME="{os.name}"\nVERSION_ID="{number}"\nVERSION="{os.version}"\n'
    if os.id != "debian":
        return f"{head}ID={os.id}\n"
    name = os.version.partition("(")[2].rstrip(")")
    code = f"VERSION_CODENAME={name}\n" if name else ""
    links = "".join(f'{key}="https://{place}{"" if "/" in place else "/"}"\n' for key, place in DEBIAN_LINKS)
    return f"{head}{code}ID={os.id}\n{links}"


def debian_version(persona: Persona) -> str:
    """The point release, which the version of base-files tells: 12.4+deb12u9 is 12.9."""
    major = persona.os.version.split(" ")[0].split(".")[0]
    base = next((package.version for package in persona.packages if package.name == "base-files"), "")
    update = base.partition("+deb")[2].partition("u")[2]
    return f"{major}.{update}" if update.isdigit() else persona.os.version.split(" ")[0]


def proc_version(persona: Persona) -> str:
    kernel = persona.os.kernel
    builder = {
        "debian": "(debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils) 2.40)",
        "ubuntu": "(buildd@lcy02-amd64-086) (x86_64-linux-gnu-gcc-11 (Ubuntu 11.4.0) 11.4.0, GNU ld 2.38)",
    }.get(persona.os.id, "(builder@build) (gcc 11.2.0, GNU ld 2.37)")
    return f"{kernel.name} version {kernel.release} {builder} {kernel.build}\n"


def cpuinfo(persona: Persona) -> str:
    hardware = persona.hardware
    machine = persona.os.kernel.machine
    rows = x86_rows if machine in X86 else firmware.mips_rows if machine.startswith("mips") else arm_rows
    blocks = ["\n".join(rows(persona, core)) + "\n" for core in range(hardware.cores)]
    return "\n".join(blocks) + "\n"


def x86_rows(persona: Persona, core: int) -> list[str]:
    hardware = persona.hardware
    amd = "AMD" in hardware.cpu_model.upper()
    return [
        f"processor\t: {core}",
        f"vendor_id\t: {'AuthenticAMD' if amd else 'GenuineIntel'}",
        f"cpu family\t: {23 if amd else 6}",
        f"model\t\t: {49 if amd else 85}",
        f"model name\t: {hardware.cpu_model}",
        f"stepping\t: {nibble(persona, 'stepping') % 8}",
        f"cpu MHz\t\t: {hardware.cpu_mhz:.3f}",
        "physical id\t: 0",
        f"siblings\t: {hardware.cores}",
        f"core id\t\t: {core}",
        f"cpu cores\t: {hardware.cores}",
        f"apicid\t\t: {core}",
        "fpu\t\t: yes",
        "fpu_exception\t: yes",
        "wp\t\t: yes",
        "flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2"
        " ht syscall nx rdtscp lm constant_tsc rep_good nopl cpuid pni pclmulqdq ssse3 cx16 sse4_1 sse4_2 popcnt aes",
        f"bogomips\t: {hardware.cpu_mhz * 2:.2f}",
        "clflush size\t: 64",
        "address sizes\t: 40 bits physical, 48 bits virtual",
        "power management:",
    ]


def arm_rows(persona: Persona, core: int) -> list[str]:
    return [
        f"processor\t: {core}",
        f"model name\t: {persona.hardware.cpu_model}",
        "BogoMIPS\t: 108.00",
        "Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32",
        "CPU implementer\t: 0x41",
        "CPU architecture: 7",
        "CPU variant\t: 0x0",
        "CPU part\t: 0xd08",
        "CPU revision\t: 3",
    ]


def meminfo(persona: Persona) -> str:
    total = persona.hardware.memory_kb
    used = min(int(total * 0.9), sum(process.rss for process in persona.processes) + total // 16)
    cached = (total - used) * (30 + nibble(persona, "cached")) // 100
    buffers = cached // 12
    free = max(0, total - used - cached - buffers)
    rows = {
        "MemTotal": total,
        "MemFree": free,
        "MemAvailable": free + cached * 9 // 10,
        "Buffers": buffers,
        "Cached": cached,
        "SwapCached": 0,
        "Active": used // 2 + cached // 3,
        "Inactive": used // 4 + cached // 2,
        "SwapTotal": 0,
        "SwapFree": 0,
        "Dirty": 48 + nibble(persona, "dirty") * 4,
        "Writeback": 0,
        "AnonPages": used * 3 // 4,
        "Mapped": used // 5,
        "Shmem": total // 2048,
        "Slab": total // 40,
        "CommitLimit": total // 2,
        "Committed_AS": used * 2,
    }
    return "".join(f"{name + ':':<16}{value:8d} kB\n" for name, value in rows.items())


def last_pid(persona: Persona) -> int:
    return max(process.pid for process in persona.processes) + 211


def digest(persona: Persona, purpose: str) -> str:
    return hashlib.sha256(f"{persona.seed} {purpose}".encode()).hexdigest()


def nibble(persona: Persona, purpose: str) -> int:
    return int(digest(persona, purpose)[0], 16)
