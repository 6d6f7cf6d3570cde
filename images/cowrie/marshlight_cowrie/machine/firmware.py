"""What a small device's system says of itself: its mounts, its processor, its release."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..persona import Persona

#: Of a camera or a switch: one read-only system, its settings in a part of the flash of their own.
MOUNTS = """rootfs / rootfs rw 0 0
/dev/root / squashfs ro,relatime 0 0
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
sysfs /sys sysfs rw,relatime 0 0
tmpfs /dev tmpfs rw,relatime,size=512k,mode=755 0 0
devpts /dev/pts devpts rw,relatime,mode=600 0 0
tmpfs /tmp tmpfs rw,relatime 0 0
/dev/mtdblock5 /mnt jffs2 rw,relatime 0 0
"""


def endian(persona: Persona) -> str:
    """`uname -m` says mips of both kinds; the packages tell which."""
    machine = persona.os.kernel.machine
    little = machine == "mips" and any(package.arch.startswith("mipsel") for package in persona.packages)
    return "mipsel" if little else machine


def mips_rows(persona: Persona, core: int) -> list[str]:
    model = persona.hardware.cpu_model
    # A core of the kind does two thirds of its clock in its own measure.
    speed = persona.hardware.cpu_mhz * 0.6646
    rows = [f"system type\t\t: {system_type(model)}", f"machine\t\t\t: {persona.hardware.vendor}"] if core == 0 else []
    return [
        *rows,
        f"processor\t\t: {core}",
        f"cpu model\t\t: {model}",
        f"BogoMIPS\t\t: {speed:.2f}",
        "wait instruction\t: yes",
        "microsecond timers\t: yes",
        "tlb_entries\t\t: 32",
        "extra interrupt vector\t: yes",
        "hardware watchpoint\t: yes, count: 4, address/irw mask: [0x0ffc, 0x0ffc, 0x0ffb, 0x0ffb]",
        "isa\t\t\t: mips1 mips2 mips32r1 mips32r2",
        "ASEs implemented\t: mips16 dsp mt",
        "Options implemented\t: tlb 4kex 4k_cache prefetch mcheck ejtag llsc pindexed_dcache userlocal vint perf_cntr_intr_bit perf",
        "shadow register sets\t: 1",
        "kscratch registers\t: 0",
        f"package\t\t\t: 0\ncore\t\t\t: {core // 2}",
        f"VPE\t\t\t: {core % 2}",
        "VCED exceptions\t\t: not available",
        "VCEI exceptions\t\t: not available",
    ]


def system_type(model: str) -> str:
    return "MediaTek MT7621 ver:1 eco:3" if "1004Kc" in model else "Qualcomm Atheros QCA9558 ver 1 rev 0"


def release_files(persona: Persona) -> dict[str, str]:
    """OpenWrt's own."""
    if persona.os.id != "openwrt":
        return {}
    version = persona.os.version.split(" ")[0]
    base = next((package for package in persona.packages if package.name == "base-files"), None)
    revision = f"r{base.version.partition('-r')[2]}" if base else "r0-unknown"
    kind = base.arch if base else persona.os.kernel.machine
    banner = persona.motd.split("built-in shell (ash)\n\n", 1)[-1]
    rows = {"ID": "OpenWrt", "RELEASE": version, "REVISION": revision, "TARGET": "ramips/mt7621", "ARCH": kind}
    release = "".join(f"DISTRIB_{key}='{value}'\n" for key, value in rows.items())
    return {
        "/etc/openwrt_release": f"{release}DISTRIB_DESCRIPTION='OpenWrt {version} {revision}'\nDISTRIB_TAINTS=''\n",
        "/etc/openwrt_version": f"{revision}\n",
        "/etc/banner": banner,
    }


def md5_crypt(persona: Persona, name: str) -> str:
    """In the form of libcrypt's oldest salted hash, which firmware keeps to."""
    alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    letters = "".join(alphabet[byte & 63] for byte in hashlib.shake_256(f"{persona.seed} shadow {name}".encode()).digest(30))
    return f"$1${letters[:8]}${letters[8:]}"
