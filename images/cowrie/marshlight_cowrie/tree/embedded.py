"""
The tree of a small device: BusyBox behind every command, dropbear, a read-only firmware's few folders. Run when the image
is built, from what the real BusyBox says of itself:

    busybox --list-full | python3 -m marshlight_cowrie.tree.embedded OUT

Read off: which commands there are, and where. Derived: sizes, the folders of a firmware, its few files, the applets of other builds.
"""

from __future__ import annotations

import stat as st
import sys
from pathlib import Path

from ..machine.busybox import APPLET
from .pack import Entry, pack

FOLDERS = (
    "bin dev dev/pts etc etc/config etc/init.d etc/rc.d home lib mnt overlay proc rom root sbin sys tmp usr usr/bin "
    "usr/lib usr/sbin usr/share www"
).split()
#: No applets of any firmware.
NEVER = frozenset("bash dpkg dpkg-deb httpd-debian".split())
#: What firmware builds have and Debian's has not, where those install it.
MORE = (
    "bin/addgroup bin/adduser bin/delgroup bin/deluser bin/fsync bin/lock bin/netmsg bin/nice bin/passwd bin/pipe_progress bin/printenv "
    "bin/setserial bin/su sbin/crond sbin/fsck sbin/hdparm sbin/ifenslave sbin/iproute sbin/ipaddr sbin/iplink sbin/iprule sbin/iptunnel "
    "sbin/ntpd sbin/runlevel sbin/sulogin sbin/tunctl sbin/zcip usr/bin/chrt usr/bin/cksum usr/bin/comm usr/bin/crontab usr/bin/eject "
    "usr/bin/flock usr/bin/fuser usr/bin/install usr/bin/iostat usr/bin/killall5 usr/bin/lsof usr/bin/lspci usr/bin/lsusb usr/bin/mesg "
    "usr/bin/mpstat usr/bin/nohup usr/bin/pgrep usr/bin/pkill usr/bin/pmap usr/bin/pscan usr/bin/pstree usr/bin/pwdx usr/bin/resize "
    "usr/bin/script usr/bin/split usr/bin/sum usr/bin/tree usr/bin/users usr/bin/volname usr/bin/wall usr/bin/whois usr/sbin/chpasswd "
    "usr/sbin/dnsd usr/sbin/fbset usr/sbin/ftpd usr/sbin/inetd usr/sbin/rdev usr/sbin/setlogcons usr/sbin/telnetd usr/sbin/tftpd"
).split()
TEXTS = {
    "/etc/shells": "/bin/ash\n",
    "/etc/profile": "export PATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport HOME=$(grep -e \"^${USER:-root}:\" /etc/passwd | cut -d \":\" -f 6)\n",
    "/etc/inittab": "::sysinit:/etc/init.d/rcS S boot\n::shutdown:/etc/init.d/rcS K shutdown\n::askconsole:/bin/ash --login\n",
    "/etc/fstab": "",
}
PROGRAMS = {"/bin/busybox": 526_720, "/usr/sbin/dropbear": 165_392, "/lib/libc.so": 601_408, "/lib/libgcc_s.so.1": 86_344}
LINKS = {"/var": "tmp", "/lib/ld-musl.so.1": "libc.so", "/usr/bin/dbclient": "../sbin/dropbear", "/usr/bin/scp": "../sbin/dropbear"}


def built(applets: list[str]) -> bytes:
    entries = [Entry("/", st.S_IFDIR | 0o755, size=4096)]
    modes = {"tmp": 0o1777, "root": 0o755, "proc": 0o555, "sys": 0o555}
    entries += [Entry(f"/{path}", st.S_IFDIR | modes.get(path, 0o755), size=4096) for path in FOLDERS]
    entries += [Entry(path, st.S_IFREG | 0o755, size=size, data=None) for path, size in PROGRAMS.items()]
    entries += [Entry(path, st.S_IFREG | 0o644, data=text.encode()) for path, text in TEXTS.items()]
    taken = {entry.path for entry in entries} | LINKS.keys()
    folders = {f"/{path}" for path in FOLDERS}
    links = dict(LINKS)
    entries += [Entry(path, st.S_IFLNK | 0o777, data=target.encode()) for path, target in links.items()]
    packages: list[tuple[str, bool]] = []
    known: set[str] = set()
    for applet in (*applets, *MORE):
        path = f"/{applet.strip().lstrip('/')}"
        above, name = path.rsplit("/", 1)
        if path in taken or name in NEVER | known or above not in folders:
            continue
        known.add(name)
        target = "busybox" if above == "/bin" else "../" * above.count("/") + "bin/busybox"
        entries.append(Entry(path, st.S_IFLNK | 0o777, data=target.encode(), package=len(packages)))
        packages.append((f"{APPLET}{name}", True))
    return pack(entries, packages, {"name": "busybox", "machine": ""})


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(built(sys.stdin.read().split()))
