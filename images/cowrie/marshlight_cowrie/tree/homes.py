"""Homes of the persona's accounts, as its installer and its adduser make them."""

from __future__ import annotations

import stat as st
from typing import TYPE_CHECKING

from . import red_hat

if TYPE_CHECKING:
    from ..persona import Persona, User
    from .host_layer import HostLayer

DEBIAN = ("debian", "ubuntu", "raspbian", "linuxmint", "devuan", "kali")


def lay(layer: HostLayer) -> None:
    for user in layer.persona.users:
        if not own_folder(layer, user):
            continue
        # Root's are those of base-files, not of useradd.
        of_base = user.uid == 0 and layer.persona.os.id in DEBIAN
        skel = layer.place("/usr/share/base-files" if of_base else "/etc/skel")
        for name, ino in layer.listing(skel).items() if skel else ():
            if of_base:
                if name not in ("dot.bashrc", "dot.profile"):
                    continue
                name = name.removeprefix("dot")
            node = layer.get(ino)
            if node and st.S_ISREG(node.mode):
                path = f"{user.home}/{name}"
                layer.file(path, layer.content(ino), node.mode & 0o7777, user.uid, user.gid, layer.installed_at)


def own_folder(layer: HostLayer, user: User) -> bool:
    """
    Makes the home of an account; whether it is one of its own. Those of system users are folders that packages brought
    (`bin` lives in /bin), or are missing unless the service is there that they run.
    """
    if user.home in ("/", "/nonexistent"):
        return False
    if user.uid and not 1000 <= user.uid < 60_000:
        runs = any(process.user == user.name for process in layer.persona.processes)
        if runs and layer.place(user.home) is None and not user.home.startswith("/home/"):
            layer.folder(user.home, 0o755, user.uid, user.gid)
        return False
    layer.folder(user.home, mode_of(layer.persona, user.uid), user.uid, user.gid)
    return True


def mode_of(persona: Persona, uid: int) -> int:
    """As the installer and adduser or useradd of the release leave it."""
    system, number = persona.os.id, persona.os.version.split(".")[0].split(" ")[0]
    if system in red_hat.IDS:
        return 0o550 if uid == 0 else 0o700
    if system not in DEBIAN:
        return 0o755
    if uid == 0:
        return 0o700
    if system == "ubuntu":
        return 0o750 if number >= "22" else 0o755
    return 0o700 if number >= "12" else 0o755
