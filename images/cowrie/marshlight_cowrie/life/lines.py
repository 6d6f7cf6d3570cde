"""Events as the lines that daemons write about them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .calendar import chance, local
from .happenings import Event

if TYPE_CHECKING:
    from ..persona import Persona

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True)
class Line:
    """`facility` as in syslog(3); `tag` with the process number in brackets, as it stands in the log."""

    at: float
    facility: str
    tag: str
    text: str


def of(persona: Persona, event: Event) -> Iterator[Line]:
    drawn = chance(persona, "lines", event.kind, event.at)
    match event.kind:
        case "boot":
            yield from at_boot(persona, event, drawn)
        case "shutdown":
            yield Line(event.at, "auth", "systemd-logind[512]", "System is rebooting.")
            yield Line(event.at + 0.2, "daemon", "systemd[1]", "Stopping session-1.scope - Session 1 of User root...")
            yield Line(event.at + 1.1, "daemon", "systemd[1]", "Reached target shutdown.target - System Shutdown.")
        case "login" | "logout":
            yield from of_session(persona, event, drawn)
        case "cron":
            tag = f"CRON[{event.pid}]"
            uid = uid_of(persona, event.user)
            pam = "pam_unix(cron:session): session"
            yield Line(event.at, "auth", tag, f"{pam} opened for user {event.user}(uid={uid}) by (uid=0)")
            yield Line(event.at + 0.004, "cron", f"CRON[{event.pid + 1}]", f"({event.user}) CMD ({event.text})")
            yield Line(event.until, "auth", tag, f"{pam} closed for user {event.user}")
        case "timer":
            name = f"{event.source} - {event.text}"
            yield Line(event.at, "daemon", "systemd[1]", f"Starting {name}...")
            yield Line(event.until, "daemon", "systemd[1]", f"{event.source}: Deactivated successfully.")
            yield Line(event.until + 0.001, "daemon", "systemd[1]", f"Finished {name}.")


def of_session(persona: Persona, event: Event, drawn: random.Random) -> Iterator[Line]:
    tag, uid = f"sshd[{event.pid}]", uid_of(persona, event.user)
    number = session_number(event)
    if event.kind == "login":
        way = "publickey" if chance(persona, "way", event.user).random() < 0.5 else "password"
        key = f": ED25519 SHA256:{fingerprint(persona, event.user)}" if way == "publickey" else ""
        yield Line(
            event.at, "auth", tag, f"Accepted {way} for {event.user} from {event.source} port {event.text} ssh2{key}"
        )
        opened = f"session opened for user {event.user}(uid={uid}) by (uid=0)"
        yield Line(event.at + 0.003, "auth", tag, f"pam_unix(sshd:session): {opened}")
        if persona.os.id == "debian" and persona.os.version.startswith("12"):
            yield Line(event.at + 0.03, "auth", tag, "pam_env(sshd:session): deprecated reading of user environment enabled")
        yield Line(event.at + 0.02, "auth", "systemd-logind[512]", f"New session {number} of user {event.user}.")
        yield Line(event.at + 0.03, "daemon", "systemd[1]", f"Started session-{number}.scope - Session {number} of User {event.user}.")
        return
    child = f"sshd[{event.pid + 7}]"
    yield Line(event.at - 0.02, "auth", child, f"Received disconnect from {event.source} port {event.text}:11: disconnected by user")
    yield Line(event.at - 0.02, "auth", child, f"Disconnected from user {event.user} {event.source} port {event.text}")
    yield Line(event.at, "auth", tag, f"pam_unix(sshd:session): session closed for user {event.user}")
    yield Line(event.at + 0.01, "auth", "systemd-logind[512]", f"Session {number} logged out. Waiting for processes to exit.")
    yield Line(event.at + 0.01, "daemon", "systemd[1]", f"session-{number}.scope: Deactivated successfully.")
    yield Line(event.at + 0.02, "auth", "systemd-logind[512]", f"Removed session {number}.")


def at_boot(persona: Persona, event: Event, drawn: random.Random) -> Iterator[Line]:
    kernel, hardware = persona.os.kernel, persona.hardware
    up = 0.0
    for text in (
        f"Linux version {kernel.release} {kernel.build}",
        f"Command line: BOOT_IMAGE=/boot/vmlinuz-{kernel.release} root=UUID={uuid(persona)} ro quiet",
        f"DMI: {hardware.vendor}",
        f"smpboot: CPU0: {hardware.cpu_model}",
        f"smp: Brought up 1 node, {hardware.cores} CPU{'s' if hardware.cores > 1 else ''}",
        f"Memory: {hardware.memory_kb * 96 // 100}K/{hardware.memory_kb}K available",
        "NET: Registered PF_INET6 protocol family",
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.",
    ):
        up += drawn.uniform(0.0001, 0.4)
        yield Line(event.at + 4 + up / 10, "kern", "kernel", f"[{up:12.6f}] {text}")
    for number, unit in enumerate(("cron.service - Regular background program processing daemon", "ssh.service - OpenBSD Secure Shell server")):
        yield Line(event.at + 5 + number * 0.3, "daemon", "systemd[1]", f"Started {unit}.")
    ssh = 600 + drawn.randrange(80)
    yield Line(event.at + 5.4, "auth", f"sshd[{ssh}]", "Server listening on 0.0.0.0 port 22.")
    yield Line(event.at + 5.4, "auth", f"sshd[{ssh}]", "Server listening on :: port 22.")
    yield Line(event.at + 5.6, "cron", f"cron[{ssh - 70}]", "(CRON) INFO (Running @reboot jobs)")


def session_number(event: Event) -> int:
    """Rises as the processes do: cron and services take numbers between two log-ins."""
    return 1 + event.pid // 97


def uid_of(persona: Persona, name: str) -> int:
    return next((user.uid for user in persona.users if user.name == name), 0)


def fingerprint(persona: Persona, user: str) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    drawn = chance(persona, "fingerprint", user)
    return "".join(drawn.choice(letters) for _ in range(43))


def uuid(persona: Persona) -> str:
    digits = f"{chance(persona, 'root file system').getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def dated(persona: Persona, at: float, *, precise: bool) -> str:
    """rsyslog's date: RFC 3339 from Debian 12 and Ubuntu 24 on, before it the traditional one of RFC 3164."""
    there = local(persona, at)
    if precise:
        return there.isoformat(timespec="microseconds")
    return f"{MONTHS[there.month - 1]} {there.day:2d} {there:%H:%M:%S}"


def web_date(there: datetime) -> str:
    return f"{there.day:02d}/{MONTHS[there.month - 1]}/{there:%Y:%H:%M:%S %z}"
