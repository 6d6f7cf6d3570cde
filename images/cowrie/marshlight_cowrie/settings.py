"""Persona -> Cowrie's own settings. Cowrie reads some at import, so this runs before the rest of it is imported."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from cowrie.core.config import CowrieConfig

from . import network, places

if TYPE_CHECKING:
    from .decoy import Decoy
    from .limits import Limits

ARCHITECTURES = {
    "x86_64": "linux-x64-lsb",
    "aarch64": "linux-aarch64-lsb",
    "armv7l": "linux-arm-lsb",
    "armv6l": "linux-arm-lsb",
    "i686": "linux-x86-lsb",
    "i586": "linux-x86-lsb",
    "mips": "linux-mips-msb",
    "mipsel": "linux-mips-lsb",
    "mips64": "linux-mips64-msb",
    "ppc64le": "linux-powerpc64-lsb",
    "riscv64": "linux-riscv64-lsb",
}
LOGIN_GRACE_SECONDS = 120
IDLE_SECONDS = 600


def put(section: str, key: str, value: object) -> None:
    CowrieConfig.set(section, key, str(value).replace("$", "$$"))


def fix(limits: Limits) -> None:
    """What is the same in every decoy; of this are the settings that Cowrie reads at import."""
    for section in CowrieConfig.sections():
        if section.startswith("output_"):
            put(section, "enabled", "false")
    put("honeypot", "state_path", places.STATE)
    put("honeypot", "log_path", places.STATE)
    put("honeypot", "download_path", places.FILES)
    put("honeypot", "ttylog_path", places.TTY)
    put("honeypot", "etc_path", "")
    put("honeypot", "txtcmds_path", "")
    put("honeypot", "logtype", "plain")
    put("honeypot", "auth_class", "PersonaUsers")
    put("honeypot", "authentication_timeout", LOGIN_GRACE_SECONDS)
    put("honeypot", "idle_timeout", IDLE_SECONDS)
    put("honeypot", "interactive_timeout", IDLE_SECONDS)
    put("honeypot", "download_limit_size", limits.file_bytes)
    put("ssh", "listen_endpoints", "tcp:22:interface=0.0.0.0")
    put("ssh", "sftp_enabled", "true")
    put("ssh", "forwarding", "true")
    put("ssh", "auth_publickey_allow_any", "false")
    put("telnet", "listen_endpoints", "tcp:23:interface=0.0.0.0")


def install(decoy: Decoy) -> None:
    put("honeypot", "sensor_name", decoy.context.decoy)
    decoy.on_change(follow)


def follow(decoy: Decoy) -> None:
    persona = decoy.persona
    put("honeypot", "hostname", persona.hostname)
    put("honeypot", "timezone", persona.timezone)
    os.environ["TZ"] = persona.timezone
    time.tzset()
    put("honeypot", "internet_facing_ip", network.address())
    put("honeypot", "internet_facing_ipv6", "")
    kernel = persona.os.kernel
    put("shell", "arch", ARCHITECTURES.get(kernel.machine, "linux-x64-lsb"))
    put("shell", "kernel_name", kernel.name)
    put("shell", "kernel_version", kernel.release)
    put("shell", "kernel_build_string", kernel.build)
    put("shell", "hardware_platform", kernel.machine)
    put("shell", "operating_system", kernel.operating_system)
    if persona.ssh:
        put("ssh", "version", persona.ssh.banner)
        put("shell", "ssh_version", client_version(persona.ssh.banner))


def client_version(banner: str) -> str:
    """What `ssh -V` prints on a host whose server has this banner."""
    software = banner.removeprefix("SSH-2.0-")
    return f"{software}, OpenSSL 3.0.15 3 Sep 2024" if software.startswith("OpenSSH") else software
