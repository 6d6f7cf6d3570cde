"""
The tree of a host of which no file was built: folders and names every Linux has. What stands behind it is derived, not
read off a real machine; the image brings real ones.
"""

from __future__ import annotations

import stat as st
import zlib

from .base import BaseTree
from .pack import Entry, pack

FOLDERS = (
    "boot dev etc etc/cron.d etc/default etc/init.d etc/skel etc/ssh home lib media mnt opt proc root run srv sys tmp usr "
    "usr/bin usr/lib usr/local usr/local/bin usr/sbin usr/share usr/share/doc usr/share/zoneinfo var var/backups var/cache "
    "var/lib var/log var/mail var/opt var/spool var/spool/cron var/spool/cron/crontabs var/tmp var/www"
).split()
MODES = {"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777, "proc": 0o555, "sys": 0o555, "var/spool/cron/crontabs": 0o1730}
PROGRAMS = (
    "awk base64 basename bash cat chgrp chmod chown clear cp curl cut date dd df diff dirname dmesg du echo egrep env expr "
    "false find free ftp gawk grep groups gunzip gzip head hostname id install kill last ln ls lsblk lscpu lsof md5sum "
    "mkdir mkfifo mknod more mount mv nano nc netstat nohup passwd perl ping ps pwd python3 readlink rm rmdir scp sed sh "
    "sha256sum sleep sort ssh stat strings stty su sudo sync tail tar tee test tftp top touch tr true tty umount uname "
    "uniq unzip uptime vi w watch wc wget which who whoami xargs xz"
).split()
SYSTEM = "arp cron dhclient ifconfig init insmod ip iptables lsmod modprobe reboot route shutdown sshd sysctl useradd".split()
SKEL = {
    ".bash_logout": "# when leaving the console clear the screen\n",
    ".bashrc": "case $- in\n    *i*) ;;\n      *) return;;\nesac\nHISTCONTROL=ignoreboth\nHISTSIZE=1000\n",
    ".profile": 'if [ -n "$BASH_VERSION" ] && [ -f "$HOME/.bashrc" ]; then\n    . "$HOME/.bashrc"\nfi\n',
}


def skeleton() -> BaseTree:
    entries = [Entry("/", st.S_IFDIR | 0o755, size=4096)]
    entries += [Entry(f"/{path}", st.S_IFDIR | MODES.get(path, 0o755), size=4096) for path in FOLDERS]
    for name, target in (("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib64", "usr/lib"), ("var/run", "/run")):
        entries.append(Entry(f"/{name}", st.S_IFLNK | 0o777, data=target.encode()))
    for folder, names in (("bin", PROGRAMS), ("sbin", SYSTEM)):
        for name in names:
            # Sizes of programs spread over two orders of magnitude; this one is the name's.
            size = 14_000 + zlib.crc32(name.encode()) % 11 ** (2 + len(name) % 4)
            entries.append(Entry(f"/usr/{folder}/{name}", st.S_IFREG | 0o755, size=size, data=None))
    for name, text in SKEL.items():
        entries.append(Entry(f"/etc/skel/{name}", st.S_IFREG | 0o644, data=text.encode()))
    return BaseTree(pack(entries, [], {"name": "skeleton", "machine": ""}))
