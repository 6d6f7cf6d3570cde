"""
Everything that is the same in all decoys, loaded before anything of this one: what comes later lies on pages of its own.

    modules of Twisted and Cowrie -> collected -> the holes between them filled -> persona, host keys, files
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
from typing import TYPE_CHECKING

from . import settings

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
# obmalloc.c: blocks of 16 to 512 bytes, in pools of 16 KiB (Python 3.10 on).
SMALLEST, LARGEST, POOL = 16, 512, 16384
BYTES_HEAD = 33
# Holes are at most a few pools a size: what the imports left behind them.
POOLS_FILLED = 24

_filling: list[bytes] = []


def load(limits: Limits) -> None:
    settings.fix(limits)
    for name in LATER:
        importlib.import_module(name)
    from cowrie import commands

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"cowrie.commands.{module.name}")
    from cowrie.core import honeyfs

    honeyfs.get_tree()
    gc.collect()
    fill_holes()


def fill_holes() -> None:
    """
    Takes the blocks that are free between the objects of modules. Otherwise what this decoy alone has would be put
    there, and each page with one such object would be a page of its own.
    """
    for size in range(SMALLEST, LARGEST + 1, 16):
        if size > BYTES_HEAD:
            _filling.extend(bytes(size - BYTES_HEAD) for _ in range(POOLS_FILLED * POOL // size // 8))
