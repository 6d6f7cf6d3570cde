"""What the machine is made of, as its kernel tells it: nproc lscpu lsmod dmesg."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .load import memory
from .options import Usage, parse

if TYPE_CHECKING:
    from ..ports import Process


async def nproc(p: Process) -> int:
    options = parse(p, "", "all ignore=:i help version")
    p.out(f"{max(1, p.host.persona.hardware.cores - int(options.text('i', '0')))}\n")
    return 0


async def lscpu(p: Process) -> int:
    hardware, machine = p.host.persona.hardware, p.host.persona.os.kernel.machine
    amd, cores = "AMD" in hardware.cpu_model.upper(), hardware.cores
    x86 = machine in ("x86_64", "i686", "i586")
    info: dict[str, str] = {}
    for line in p.fs.read("/proc/cpuinfo").decode("utf-8", "replace").split("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        info[name.strip()] = value.strip()
    rows = [("Architecture", machine)]
    if x86:
        rows += [("CPU op-mode(s)", "32-bit, 64-bit"), ("Address sizes", info.get("address sizes", "40 bits physical, 48 bits virtual"))]
    rows += [("Byte Order", "Big Endian" if machine in ("mips", "ppc64") else "Little Endian"), ("CPU(s)", str(cores))]
    rows += [("On-line CPU(s) list", f"0-{cores - 1}" if cores > 1 else "0")]
    rows += [("Vendor ID", "AuthenticAMD" if amd else "GenuineIntel" if x86 else "ARM"), ("Model name", hardware.cpu_model)]
    if x86:
        rows += [("CPU family", info.get("cpu family", "6")), ("Model", info.get("model", "85")), ("Thread(s) per core", "1")]
        rows += [("Core(s) per socket", str(cores)), ("Socket(s)", "1"), ("Stepping", info.get("stepping", "1")), ("BogoMIPS", info.get("bogomips", "5200.00"))]
        rows += [("Flags", info.get("flags", ""))]
    else:
        rows += [("Thread(s) per core", "1"), ("Core(s) per socket", str(cores)), ("Socket(s)", "1")]
    rows += [("NUMA node(s)", "1"), ("NUMA node0 CPU(s)", f"0-{cores - 1}" if cores > 1 else "0")]
    p.out("".join(f"{name + ':':<40} {value}\n" for name, value in rows))
    return 0


async def lsmod(p: Process) -> int:
    p.out("Module                  Size  Used by\n")
    for line in p.fs.read("/proc/modules").decode().splitlines():
        name, size, used, by = line.split()[:4]
        p.out(f"{name:<20} {size:>8}  {used}{' ' + by.rstrip(',') if by != '-' else ''}\n")
    return 0


async def dmesg(p: Process) -> int:
    if p.account.uid:
        raise Usage("dmesg: read kernel buffer failed: Operation not permitted\n")
    persona = p.host.persona
    kernel = persona.os.kernel
    lines = [
        f"Linux version {kernel.release} {kernel.build}",
        f"Command line: BOOT_IMAGE=/boot/vmlinuz-{kernel.release} root=/dev/sda1 ro quiet",
        f"DMI: {persona.hardware.vendor}",
        f"Memory: {memory(p)['MemTotal']}K available",
        f"smpboot: CPU0: {persona.hardware.cpu_model}",
        f"smp: Brought up 1 node, {persona.hardware.cores} CPUs",
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.",
        f"systemd[1]: Hostname set to <{persona.hostname}>.",
    ]
    moment = 0.0
    for line in lines:
        p.out(f"[{moment:12.6f}] {line}\n")
        moment += 0.1 + p.host.random(line) / 2
    said = getattr(p.host, "kernel_said", None)
    p.out("".join(f"{line.text}\n" for line in said()) if said is not None else "")
    return 0


COMMANDS = {"nproc": nproc, "lscpu": lscpu, "lsmod": lsmod, "dmesg": dmesg}
