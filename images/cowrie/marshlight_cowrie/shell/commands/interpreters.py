"""python3 and perl as far as people try them, busybox as a multi-call program, and programs that only tell their version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..python.program import python
from .options import Usage

if TYPE_CHECKING:
    from ..ports import Process

BUSYBOX = "BusyBox v{version} ({build}) multi-call binary.\n"
APPLETS = (
    "[ [[ acpid adjtimex ar arch arp arping ascii ash awk base64 basename bc blkdiscard blkid blockdev brctl bunzip2 bzcat bzip2 cal cat chgrp "
    "chmod chown chpasswd chroot chvt clear cmp cp cpio crc32 crond crontab cttyhack cut date dc dd deallocvt depmod devmem df diff dirname dmesg "
    "dnsdomainname dos2unix dpkg dpkg-deb du dumpkmap dumpleases echo ed egrep env expand expr factor fallocate false fatattr fdisk fgrep find "
    "fold free freeramdisk fsfreeze fstrim ftpget ftpput getopt getty grep groups gunzip gzip halt head hexdump hostid hostname httpd hwclock i2cdetect "
    "i2cdump i2cget i2cset i2ctransfer id ifconfig ifdown ifup init insmod ionice ip ipcalc ipneigh kill killall klogd last less link linux32 "
    "linux64 linuxrc ln loadfont loadkmap logger login logname logread losetup ls lsmod lsscsi lzcat lzma lzop md5sum mdev microcom mim mkdir "
    "mkdosfs mke2fs mkfifo mknod mkpasswd mkswap mktemp modinfo modprobe more mount mt mv nameif nbd-client nc netstat nl nologin nproc nsenter "
    "nslookup nuke od openvt partprobe passwd paste patch pidof ping ping6 pivot_root poweroff printf ps pwd rdate readlink realpath reboot renice "
    "reset resume rev rm rmdir rmmod route rpm rpm2cpio run-init run-parts sed seq setkeycodes setpriv setsid sh sha1sum sha256sum sha3sum sha512sum "
    "shred shuf sleep sort ssl_client start-stop-daemon stat strings stty su sulogin svc svok swapoff swapon switch_root sync sysctl syslogd tac tail "
    "tar taskset tc tee telnet telnetd test tftp time timeout top touch tr traceroute traceroute6 true truncate ts tty ubirename udhcpc udhcpd uevent "
    "umount uname uncompress unexpand uniq unix2dos unlink unlzma unshare unxz unzip uptime usleep uudecode uuencode vconfig vi w watch watchdog wc "
    "wget which who whoami xargs xxd xz xzcat yes zcat"
).split()
USAGES = {
    "wget": "Usage: wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n\t[--post-data STR | --post-file FILE] [-Y on/off]\n"
    "\t[--no-check-certificate] [-P DIR] [-U AGENT] URL...\n\nRetrieve files via HTTP or FTP\n",
    "tftp": "Usage: tftp [OPTIONS] HOST [PORT]\n\nTransfer a file from/to tftp server\n\n\t-l FILE\tLocal FILE\n\t-r FILE\tRemote FILE\n"
    "\t-g\tGet file\n\t-p\tPut file\n\t-b SIZE\tTransfer blocks in bytes\n",
    "ftpget": "Usage: ftpget [-cv] [-u USER] [-p PASS] [-P PORT] HOST [LOCAL_FILE] REMOTE_FILE\n\nDownload a file via FTP\n",
}


def banner(p: Process) -> str:
    package = next((package for package in getattr(p.host.persona, "packages", ()) if package.name == "busybox"), None)
    if package:
        number = package.version.partition(":")[2] or package.version
        return BUSYBOX.format(version=number.partition("-")[0], build=f"Debian {package.version}")
    return BUSYBOX.format(version="1.35.0", build="2023-04-27 20:28:15 UTC")


async def busybox(p: Process) -> int:
    words = p.args[1:]
    if not words or words[0] == "--help":
        p.out(
            banner(p) + "BusyBox is copyrighted by many authors between 1998-2015.\nLicensed under GPLv2. See source distribution for detailed\n"
            "copyright notices.\n\nUsage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n   or: busybox --install [-s] [DIR]\n"
            "   or: function [arguments]...\n\nCurrently defined functions:\n\t" + ", ".join(APPLETS) + "\n"
        )
        return 0
    if words[0].startswith("--list"):
        p.out("".join(f"{'usr/bin/' if 'full' in words[0] else ''}{name}\n" for name in APPLETS))
        return 0
    name = words[0]
    if name not in APPLETS:
        raise Usage(f"{name}: applet not found\n", 127)
    if name in USAGES and len(words) == 1 or words[1:2] == ["--help"]:
        raise Usage(banner(p) + "\n" + USAGES.get(name, f"Usage: {name} [OPTIONS]\n"), 1 if words[1:2] != ["--help"] else 0)
    if name == "ps":
        p.out("PID   USER     COMMAND\n")
        for row in p.table.rows() if p.table else []:
            p.out(f"{row.pid:5d} {row.user[:8]:<8} {row.command[:70]}\n")
        return 0
    if name == "echo":
        return await p.spawn(["bash", "-c", 'echo "$@"', "echo", *words[1:]])
    try:
        return await p.spawn(words)
    except FileNotFoundError:
        return 0


async def openssl(p: Process) -> int:
    import os

    if p.args[1:2] == ["rand"]:
        count = next((int(word) for word in p.args[2:] if word.isdigit()), 16)
        data = os.urandom(min(count, 65536))
        if "-hex" in p.args:
            p.out(data.hex() + "\n")
        elif "-base64" in p.args:
            import base64

            p.out(base64.encodebytes(data).decode())
        else:
            p.stdout.write(data)
    elif p.args[1:2] == ["version"]:
        p.out("OpenSSL 3.0.15 3 Sep 2024 (Library: OpenSSL 3.0.15 3 Sep 2024)\n")
    return 0


async def getconf(p: Process) -> int:
    persona = p.host.persona
    bits = "64" if "64" in persona.os.kernel.machine else "32"
    values = {
        **{"LONG_BIT": bits, "PAGESIZE": "4096", "PAGE_SIZE": "4096", "_NPROCESSORS_ONLN": str(persona.hardware.cores)},
        **{"_NPROCESSORS_CONF": str(persona.hardware.cores), "ARG_MAX": "2097152", "CLK_TCK": "100", "INT_MAX": "2147483647"},
        **{"GNU_LIBC_VERSION": "glibc 2.36", "PATH": "/bin:/usr/bin", "OPEN_MAX": "1024", "WORD_BIT": "32", "NAME_MAX": "255", "CHAR_BIT": "8"},
        "_PHYS_PAGES": str(persona.hardware.memory_kb // 4),
    }
    words = [word for word in p.args[1:] if not word.startswith("-")]
    if not words:
        raise Usage("Usage: getconf [-v SPEC] VAR\n  or:  getconf [-v SPEC] PATH_VAR PATH\n", 2)
    if words[0] not in values:
        raise Usage(f"getconf: Unrecognized variable `{words[0]}'\n", 2)
    p.out(values[words[0]] + "\n")
    return 0


async def locale(p: Process) -> int:
    lang = p.env.get("LANG", "")
    shown = lang or "POSIX"
    p.out(f"LANG={lang}\nLANGUAGE={p.env.get('LANGUAGE', '')}\n")
    for name in "CTYPE NUMERIC TIME COLLATE MONETARY MESSAGES PAPER NAME ADDRESS TELEPHONE MEASUREMENT IDENTIFICATION".split():
        p.out(f'LC_{name}="{shown}"\n')
    p.out(f"LC_ALL={p.env.get('LC_ALL', '')}\n")
    return 0


async def less(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith(("-", "+"))]
    return await p.spawn(["cat", *names])


async def nothing(p: Process) -> int:
    return 0


COMMANDS = {
    **{"python3": python, "python3.11": python, "busybox": busybox, "openssl": openssl},
    **{"getconf": getconf, "locale": locale, "less": less, "more": less, "sync": nothing, "ldconfig": nothing},
}
