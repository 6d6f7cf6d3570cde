"""sshd_config as the persona's own log-ins need it: a host whose root comes with a password says so there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host_layer import HostLayer

PATH = "/etc/ssh/sshd_config"
AS_PACKAGED, AS_NEEDED = b"#PermitRootLogin prohibit-password", b"PermitRootLogin yes"


def lay(layer: HostLayer) -> None:
    persona = layer.persona
    ino = layer.place(PATH)
    if ino is None or persona.ssh is None or not any(user.uid == 0 and user.passwords for user in persona.users):
        return
    text = layer.content(ino)
    if AS_PACKAGED in text:
        layer.file(PATH, text.replace(AS_PACKAGED, AS_NEEDED), 0o644)
