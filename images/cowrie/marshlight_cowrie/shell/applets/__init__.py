"""
BusyBox: the commands of a small device, all of them one program.

    /bin/ls -> busybox -> multi --> catalogue --> listing, disks, ... : applets that are BusyBox's own
                            |           `-------> shared: ../commands in the wording of BusyBox
                            `-> usage <-- facts <-- busybox.json (`read`, when the image is built) and the persona
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ports import Registry
from .catalogue import Catalogue
from .multi import run

if TYPE_CHECKING:
    from ..ports import Command, Process


def multi_for(common: Registry) -> Command:
    """What behaves as the file `busybox`, where `common` holds all else that there is to run."""
    catalogue: list[Catalogue] = []

    async def multi(p: Process) -> int:
        # Made when first asked for: only then is all of `common` there.
        if not catalogue:
            catalogue.append(Catalogue({name: command for name, command in common.by_name.items() if "/" not in name}))
        return await run(p, catalogue[0])

    return multi


def registry_for(common: Registry) -> Registry:
    """The commands of a small device: its own programs, as `common` has them, and BusyBox behind all else."""
    multi = multi_for(common)
    made = Registry()
    kept = {name: command for name, command in common.by_name.items() if bare(name) in PROGRAMS}
    made.by_name = {**kept, "busybox": multi, "/bin/busybox": multi}
    return made


def bare(name: str) -> str:
    return name.rsplit("/", 1)[-1]


#: What a firmware has beside BusyBox, where its tree has a file of that name.
PROGRAMS = frozenset("curl scp ssh dbclient opkg uci ubus iptables ip6tables nft tc".split())
