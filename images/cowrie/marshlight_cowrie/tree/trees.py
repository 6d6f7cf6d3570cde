"""
All file systems of one decoy.

    tree file --mmap--> Bottom -> HostLayer (persona) -> Overlay (attacker) -> View (account)
                        one a host      one a decoy        one a key           one a session
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import machine
from ..life.doings import Doings
from ..machine import busybox, firmware
from ..machine.kind import small
from . import accounts, turned
from .base import BaseTree
from .host_layer import HostLayer, Texts
from .layer import Bottom
from .overlay import Overlay, Quota
from .own_processes import OfPersona
from .programs import maker
from .skeleton import skeleton
from .store import Store
from .view import View

if TYPE_CHECKING:
    from ..persona import Persona

MIB = 1 << 20
#: Where the image has its tree files.
FOLDER = Path(os.environ.get("MARSHLIGHT_TREES", Path(__file__).with_name("bases")))
PER_OVERLAY = (16 * MIB, 4096)
PER_DECOY = (64 * MIB, 32_768)
FIRST_NEW = 1_310_721
#: Overlays kept in memory while nobody is logged in.
KEPT = 64


class Trees:
    def __init__(
        self,
        persona: Persona,
        *,
        provide: Callable[[], Texts] | None = None,
        clock: Callable[[], float] = time.time,
        folder: Path = FOLDER,
        store: Store | None = None,
    ) -> None:
        self.clock, self.folder, self.store = clock, folder, store
        self.quota = Quota(*PER_DECOY)
        self.overlays: dict[str, Overlay] = {}
        #: Told the key of an overlay that was changed.
        self.on_change: Callable[[str], None] = lambda key: None
        self.host = self._host(persona, provide)

    def _host(self, persona: Persona, provide: Callable[[], Texts] | None) -> HostLayer:
        base = base_for(persona, self.folder)
        bottom = Bottom(base, maker(firmware.endian(persona), persona.seed))
        from .. import life

        texts = provide or (lambda: machine.files(persona, "127.0.0.1"))
        return HostLayer(bottom, persona, texts, self.clock, lambda: life.traces(persona, self.clock))

    def play(self, persona: Persona, provide: Callable[[], Texts] | None = None) -> None:
        """Another persona, under what the attackers did."""
        self.host = self._host(persona, provide)
        for overlay in self.overlays.values():
            overlay.lower = self.host

    def overlay(self, key: str) -> Overlay:
        """What the attacker of this key has changed so far."""
        found = self.overlays.pop(key, None)
        if found is None:
            found = self._opened(key)
        self.overlays[key] = found
        turned.follow(found, self.host)
        while len(self.overlays) > KEPT:
            self.drop(next(iter(self.overlays)))
        return found

    def _opened(self, key: str) -> Overlay:
        made = Overlay(self.host, Quota(*PER_OVERLAY, above=self.quota), FIRST_NEW, self.store)
        made.clock = self.clock
        if self.store and key:
            self.store.load(key, made)
        made.on_change = lambda: self.on_change(key)
        made.turned = made.turned or self.clock()
        return made

    def drop(self, key: str) -> None:
        """A session that still has it goes on, and what it writes then is its own."""
        self.save(key)
        gone = self.overlays.pop(key)
        self.quota.note(-gone.quota.used_bytes, -gone.quota.used_nodes)
        gone.quota.above = None
        gone.on_change = lambda: None

    def save(self, key: str) -> None:
        overlay = self.overlays.get(key)
        if overlay and self.store and key and (overlay.nodes or overlay.entries or overlay.doings):
            self.store.save(key, overlay, accounts.owner(self.view(key, 0, (0,)), self.host_view()))

    def host_view(self) -> View:
        """The persona's host, untouched."""
        made = Overlay(self.host, Quota(0, 0), FIRST_NEW)
        made.clock = self.clock
        return View(made, self.host.mounts, self.clock, 0, (0,))

    def account(self, key: str, name: str) -> accounts.Account | None:
        return accounts.account(self.view(key, 0, (0,)), name)

    def key_for(self, source: str, name: str, public_key: str = "") -> str:
        """
        Whose changes somebody sees who comes from this address as this account: an account that one attacker made, or
        a key (base64) that he planted, is his from everywhere.
        """
        owners = self.store.owners if self.store else {}
        if source in owners and (name in owners[source].accounts or public_key in owners[source].keys):
            return source
        for key, owner in reversed(owners.items()):
            if name in owner.accounts or (public_key and public_key in owner.keys):
                return key
        return source

    def opens(self, source: str, name: str, password: bytes) -> bool | None:
        """Whether the attacker's own /etc/passwd and shadow let him in; None where those say what the persona says."""
        key = self.key_for(source, name)
        if key not in self.overlays and (not self.store or key not in self.store.owners):
            return None
        return accounts.password(self.view(key, 0, (0,)), self.host_view(), name, password)

    def doings(self, key: str) -> Doings:
        """What the visits of this attacker left in the machine's own books; to be added to."""
        overlay = self.overlay(key)
        if overlay.doings is None:
            overlay.doings = Doings()
        return overlay.doings  # type: ignore[no-any-return]

    def view(self, key: str, uid: int, gids: tuple[int, ...]) -> View:
        processes = OfPersona(lambda: self.host.persona, self.clock, uid, gids)
        return View(self.overlay(key), self.host.mounts, self.clock, uid, gids).of_process(processes, processes.own)


def base_for(persona: Persona, folder: Path) -> BaseTree:
    """The tree file of the persona's distribution, with the packages it has."""
    names = {package.name for package in persona.packages}
    if small(persona):
        names |= {f"{busybox.APPLET}{name}" for name in busybox.applets(persona)}
    for name in bases_of(persona):
        path = folder / f"{name}.tree"
        if path.exists():
            return BaseTree.open(path).showing(names, whole=is_of(persona, name))
    return skeleton()


def is_of(persona: Persona, base: str) -> bool:
    """Whether the tree is of the very release, so that its packages are called as the persona's are."""
    return base == f"{persona.os.id}-{persona.os.version.split(' ')[0].split('.')[0]}"


def bases_of(persona: Persona) -> tuple[str, ...]:
    if small(persona):
        return ("busybox",)
    return ("debian-12",)


def open_tree(persona: Persona, uid: int = 0, gids: tuple[int, ...] = (0,), **options: object) -> View:
    """One account's view of a fresh host, kept in memory alone. `options`: those of Trees."""
    return Trees(persona, **options).view("", uid, gids)  # type: ignore[arg-type]
