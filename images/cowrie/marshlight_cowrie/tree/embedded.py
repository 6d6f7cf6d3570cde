"""
The tree of a small device: BusyBox behind every command, dropbear, a read-only firmware's few folders. Run when the image
is built, from what the real BusyBox says of itself:

    busybox --list-full | python3 -m marshlight_cowrie.tree.embedded OUT

Read off: which commands there are, and where. Derived: sizes, the folders of a firmware, its few files.
"""

from __future__ import annotations

import stat as st
import sys
from pathlib import Path

from .pack import Entry, pack

FOLDERS = (
    "bin dev dev/pts etc etc/config etc/init.d etc/rc.d home lib mnt overlay proc rom root sbin sys tmp usr usr/bin "
    "usr/lib usr/sbin usr/share www"
).split()
#: What those devices leave out of Debian's build.
LEFT_OUT = frozenset("ar bash dpkg dpkg-deb httpd-debian rpm rpm2cpio run-init svc svok tac uuencode uudecode w".split())
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
    for applet in applets:
        path = f"/{applet.strip().lstrip('/')}"
        above, name = path.rsplit("/", 1)
        if path not in taken and name not in LEFT_OUT and above in folders:
            links[path] = "busybox" if above == "/bin" else "../" * above.count("/") + "bin/busybox"
    entries += [Entry(path, st.S_IFLNK | 0o777, data=target.encode()) for path, target in links.items()]
    return pack(entries, [], {"name": "busybox", "machine": ""})


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(built(sys.stdin.read().split()))
