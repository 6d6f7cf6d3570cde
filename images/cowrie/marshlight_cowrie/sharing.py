"""
Lets the kernel keep one copy of the pages that decoys of one appliance have in common.

    start -> own address layout off, a fixed hash seed -> the same program again -> pages may be merged -> imports

Two processes that load the same modules in the same order at the same addresses have the same pages. What Docker's own
system call filter or an old kernel refuses is done without: the decoy runs the same, and takes more memory.
"""

from __future__ import annotations

import ctypes
import os
import sys

# linux/personality.h, linux/prctl.h (Linux 6.4)
ADDR_NO_RANDOMIZE = 0x0040000
UNCHANGED = 0xFFFFFFFF
PR_SET_MEMORY_MERGE = 67
# Set for the second start only, which must not start again.
AGAIN = "MARSHLIGHT_AGAIN"
SAME_IN_ALL = {
    "PYTHONHASHSEED": "0",
    "MALLOC_ARENA_MAX": "1",
    # malloc marks what waits in its cache with a number drawn at the start of each process.
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
}
# By these the size of the first objects would differ from decoy to decoy, and with it the place of all later ones.
VARYING = ("HOSTNAME", "HOME", "MARSHLIGHT_POD", "MARSHLIGHT_SERVICES")


def start_again() -> None:
    """Replaces this process by one with the layout that all decoys have. Returns where that is done, or cannot be."""
    if os.environ.get(AGAIN) is not None:
        return
    layout = libc().personality(ctypes.c_ulong(UNCHANGED))
    fixed = layout != -1 and libc().personality(ctypes.c_ulong(layout | ADDR_NO_RANDOMIZE)) != -1
    kept = {name: value for name, value in os.environ.items() if name not in VARYING}
    same = {AGAIN: "1" if fixed else "0", **SAME_IN_ALL}
    os.execve(sys.executable, sys.orig_argv, {**dict(sorted(kept.items())), **same})


def allow_merging() -> None:
    if libc().prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) != 0:
        os.environ[AGAIN] = "0"


def is_shared() -> bool:
    """Whether layout and merging are as they have to be."""
    return os.environ.get(AGAIN) == "1"


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
