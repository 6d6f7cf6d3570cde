"""
Everything that is the same in all decoys, loaded before anything of this one: what comes later lies on pages of its own.

    modules of Twisted, Cowrie and ours -> collected -> the holes between them filled -> persona, host keys, files
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import random
from typing import TYPE_CHECKING

from . import holes, settings

if TYPE_CHECKING:
    from .limits import Limits

# What the first connections would import, which then would lie elsewhere in each decoy.
LATER = (
    "twisted.internet.reactor",
    "twisted.plugins.cowrie_plugin",
    "cowrie.core.checkers",
    "cowrie.shell.avatar",
    "cowrie.shell.server",
    "cowrie.shell.session",
    "cowrie.ssh.factory",
    "cowrie.telnet.factory",
    "bcrypt",
    "encodings.idna",
    "stringprep",
)


def load(limits: Limits) -> None:
    settings.fix(limits)
    # Cowrie's own commands draw numbers as they are imported, which take more room or less; our shell shows none of them.
    random.seed(0)
    for name in LATER:
        importlib.import_module(name)
    from cowrie import commands

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"cowrie.commands.{module.name}")
    for name in ours():
        importlib.import_module(name)
    from cowrie.core import honeyfs

    honeyfs.get_tree()
    random.seed()
    gc.collect()
    # No later collection touches these.
    gc.freeze()
    holes.fill()


def ours() -> list[str]:
    """Every module of this package and of what images share, in the order of their names; not what runs by being imported."""
    import marshlight_common
    import marshlight_cowrie

    return [
        module.name
        for package in (marshlight_common, marshlight_cowrie)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith(".__main__")
    ]
