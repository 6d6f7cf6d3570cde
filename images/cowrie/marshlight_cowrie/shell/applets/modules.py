"""The kernel's side: modules, settings, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process


def say(p: Process, text: str) -> None:
    p.stderr.write(f"{p.args[0]}: {text}\n".encode("utf-8", "surrogateescape"))


async def lsmod(p: Process) -> int:
    p.out("Module                  Size  Used by    Not tainted\n")
    try:
        rows = p.fs.read("/proc/modules").decode("ascii", "replace").splitlines()
    except OSError as error:
        say(p, f"/proc/modules: {error.strerror}")
        return 0
    for row in rows:
        name, size, used, by = row.split()[:4]
        p.out(f"{name:<19} {size:>8}  {used} {by.rstrip(',') if by != '-' else ''}\n")
    return 0


async def insmod(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if not names:
        raise refusal(p, "insmod")
    try:
        data = p.fs.read(p.path(names[0]))
    except OSError as error:
        say(p, f"can't insert '{names[0]}': {error.strerror}")
        return 254
    if p.account.uid:
        say(p, f"can't insert '{names[0]}': Operation not permitted")
        return 255
    say(p, f"can't insert '{names[0]}': {'invalid module format' if data[:4] == chr(127).encode() + b'ELF' else 'Exec format error'}")
    return 248


async def rmmod(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if not names:
        raise refusal(p, "rmmod")
    for name in names:
        say(p, f"can't unload module '{name}': {'Function not implemented' if unmodular(p) else 'No such file or directory'}")
    return 1


async def modprobe(p: Process) -> int:
    try:
        p.fs.listdir("/lib/modules")
    except OSError as error:
        say(p, f"can't change directory to '/lib/modules': {error.strerror}")
        return 1
    release = p.host.persona.os.kernel.release
    say(p, f"can't change directory to '{release}': No such file or directory")
    return 1


def unmodular(p: Process) -> bool:
    try:
        p.fs.stat("/proc/modules")
    except OSError:
        return True
    return False


async def sysctl(p: Process) -> int:
    words = [word for word in p.args[1:] if not word.startswith("-")]
    quiet = any("e" in word or "q" in word for word in p.args[1:] if word.startswith("-"))
    if not words:
        raise refusal(p, "sysctl")
    status = 0
    for word in words:
        key, equals, value = word.partition("=")
        path = "/proc/sys/" + key.replace(".", "/")
        try:
            if equals:
                p.fs.stat(path)
                p.out(f"{key} = {value}\n")
                continue
            text = p.fs.read(path).decode("utf-8", "replace").rstrip("\n")
        except OSError:
            if not quiet:
                say(p, f"error: '{key}' is an unknown key")
            status = 1
            continue
        p.out(f"{key} = {text}\n" if not any("n" in flag for flag in p.args[1:] if flag.startswith("-")) else f"{text}\n")
    return status


async def dmesg(p: Process) -> int:
    persona = p.host.persona
    kernel = persona.os.kernel
    lines = [f"{kernel.name} version {kernel.release} {kernel.build}", f"CPU: {persona.hardware.cpu_model}", f"Memory: {persona.hardware.memory_kb}K"]
    p.out("".join(f"[    0.00000{at}] {line}\n" for at, line in enumerate(lines)))
    return 0


async def logread(p: Process) -> int:
    for path in ("/var/log/messages", "/tmp/log/messages"):
        try:
            p.stdout.write(p.fs.read(path))
            return 0
        except OSError:
            continue
    say(p, "can't find syslogd buffer: No such file or directory")
    return 1


async def brctl(p: Process) -> int:
    if not p.args[1:]:
        raise refusal(p, "brctl")
    try:
        p.fs.listdir("/sys/class/net")
    except OSError as error:
        say(p, f"can't change directory to '/sys/class/net': {error.strerror}")
        return 1
    p.out("bridge name\tbridge id\t\tSTP enabled\tinterfaces\n")
    return 0


async def chroot(p: Process) -> int:
    words = [word for word in p.args[1:] if not word.startswith("-")]
    if not words:
        raise refusal(p, "chroot")
    try:
        p.fs.listdir(p.path(words[0]))
    except OSError as error:
        say(p, f"can't change root directory to '{words[0]}': {error.strerror}")
        return 1
    return int(await p.spawn(words[1:] or [p.env.get("SHELL", "/bin/sh"), "-i"]))


async def fdisk(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    for name in names:
        try:
            p.fs.stat(p.path(name))
        except OSError as error:
            say(p, f"can't open '{name}': {error.strerror}")
            return 0 if "-l" in p.args else 1
    if not names and "-l" not in p.args:
        raise refusal(p, "fdisk")
    return 0


COMMANDS = {
    **{"lsmod": lsmod, "insmod": insmod, "rmmod": rmmod, "modprobe": modprobe, "sysctl": sysctl, "dmesg": dmesg, "logread": logread},
    **{"brctl": brctl, "chroot": chroot, "fdisk": fdisk},
}
