"""Which paths hold data, and so may fail or be another; never what a log-in, the shell or the kernel's files rest on."""

from __future__ import annotations

import posixpath

DATA = ("/home", "/root", "/srv", "/opt", "/mnt", "/media", "/data", "/tmp", "/var", "/etc", "/usr/local", "/backup")
#: Of those, what others rest on.
NEEDED = (
    *("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/profile", "/etc/bash", "/etc/nsswitch", "/etc/pam"),
    *("/etc/ssh", "/etc/login", "/etc/securetty", "/etc/shells", "/etc/ld", "/etc/environment", "/etc/hosts", "/etc/hostname"),
    *("/etc/localtime", "/etc/alternatives", "/etc/inputrc", "/etc/os-release", "/etc/resolv.conf", "/var/run", "/var/lib/dpkg"),
    *("/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib"),
)
#: Folders whose names are programs' own business are listed as they are.
LISTED = tuple(folder for folder in DATA if folder != "/etc")


def is_data(path: str, folders: tuple[str, ...] = DATA) -> bool:
    path = posixpath.normpath(path)
    if not any(path == folder or path.startswith(f"{folder}/") for folder in folders):
        return False
    if any(path.startswith(needed) for needed in NEEDED):
        return False
    # Start files, histories and keys of an account; hidden files are a program's own.
    return "/." not in path
