"""BusyBox as a program: an applet by its name, the list of those that there are."""

from __future__ import annotations

import posixpath
import textwrap
from typing import TYPE_CHECKING

from .dialect import ASH
from .programs import shell_program

if TYPE_CHECKING:
    from .ports import Process, Registry


async def busybox(process: Process) -> int:
    """`busybox sh`, `busybox wget ...`: an applet by its name; without one, what there is."""
    applet = posixpath.basename(process.args[0])
    operands = process.args[1:] if applet == "busybox" else process.args
    shell = process.notes["shell"]
    have = sorted(name for name in shell.system.registry.by_name if "/" not in name and name in APPLETS)
    if not operands or operands[0] == "--help":
        listed = "\n".join(textwrap.wrap(", ".join(have), 70, initial_indent="\t", subsequent_indent="\t"))
        process.out(f"{BUSYBOX}\nCurrently defined functions:\n{listed}\n")
        return 0
    if operands[0] == "--list":
        process.out("".join(f"{name}\n" for name in have))
        return 0
    name = operands[0]
    if name in ("sh", "ash"):
        process.args = operands
        return await shell_program(process, ASH)
    found = shell.system.registry.by_name.get(name)
    if found is None or name not in APPLETS:
        process.stderr.write(f"{name}: applet not found\n".encode("utf-8", "surrogateescape"))
        return 127
    process.args = operands
    return int(await found(process))


APPLETS = frozenset(
    """ar arch ash awk base64 basename bunzip2 bzcat bzip2 cal cat chgrp chmod chown chroot clear cmp cp cpio cut date dc dd df
    diff dirname dmesg du echo ed egrep env expand expr false fgrep find fold free ftpget ftpput getopt grep groups gunzip
    gzip head hexdump hostid hostname httpd id ifconfig install ip kill killall last less ln logger ls lzma md5sum mkdir
    mkfifo mknod mktemp more mount mv nc netstat nice nl nohup nproc nslookup od passwd paste patch pgrep pidof ping pkill
    printenv printf ps pwd readlink realpath renice rev rm rmdir route sed seq sh sha1sum sha256sum sha512sum sleep sort
    split stat strings stty su sync tac tail tar tee telnet test tftp time timeout top touch tr traceroute true tty umount
    uname uniq unzip uptime vi w watch wc wget which who whoami xargs xxd yes zcat [""".split()
)
BUSYBOX = """BusyBox v1.35.0 (Debian 1:1.35.0-4+b3) multi-call binary.
BusyBox is copyrighted by many authors between 1998-2015.
Licensed under GPLv2. See source distribution for detailed
copyright notices.

Usage: busybox [function [arguments]...]
   or: busybox --list[-full]
   or: busybox --show SCRIPT
   or: busybox --install [-s] [DIR]
   or: function [arguments]...

\tBusyBox is a multi-call binary that combines many common Unix
\tutilities into a single executable.  Most people will create a
\tlink to busybox for each function they wish to use and BusyBox
\twill act like whatever it was invoked as.
"""


def register(registry: Registry) -> None:
    for path in ("/bin/busybox", "/usr/bin/busybox", "busybox"):
        registry.by_name.setdefault(path, busybox)
