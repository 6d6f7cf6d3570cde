"""Who is in /proc for a view without a shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..machine.daemons import Daemons
from ..machine.running import Running

if TYPE_CHECKING:
    from ..persona import Persona


class OfPersona:
    """Of a view without a shell: the persona's processes, and the one that serves files and looks itself."""

    def __init__(self, playing: Callable[[], Persona], clock: Callable[[], float], uid: int, gids: tuple[int, ...]) -> None:
        self.playing, self.now, self.uid, self.gids = playing, clock, uid, gids
        self.daemons = Daemons()

    @property
    def persona(self) -> Persona:
        return self.playing()

    @property
    def own(self) -> int:
        return max(self.daemons.of(self.persona), default=600) + 211

    def pids(self) -> list[int]:
        return [*self.daemons.of(self.persona), self.own]

    def running(self, pid: int) -> Running | None:
        daemon = self.daemons.of(self.persona).get(pid)
        if daemon or pid != self.own:
            return daemon
        path = "/usr/lib/openssh/sftp-server"
        return Running(pid, 1, self.uid, self.gids[0] if self.gids else 0, self.gids, (path,), "sftp-server", path, started=self.now())
