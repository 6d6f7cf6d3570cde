"""
The free places between objects: a page with one object of this decoy alone among many that all have is a page of its own.

    preload -- fill: every free place is taken, for good --> persona: lies on pages of its own, one beside the other
    ready   -- clear: what is free again is nothing but zeros, or goes back to the kernel
"""

from __future__ import annotations

import ctypes

from . import sharing

# obmalloc.c: blocks of 16 to 512 bytes, in pools of 16 KiB (Python 3.10 on).
SMALLEST, LARGEST, POOL = 16, 512, 16384
BYTES_HEAD = 33
# Holes are at most a few pools a size: what the imports left behind them.
POOLS_FILLED = 3
# Larger ones the C library keeps, in one heap that grows at its end; from 128 KiB on they may lie by themselves.
LARGE = 64 * 1024
# Pools that making this decoy's files used and left: some 5 MB at most.
POOLS_CLEARED = 400

_filling: list[bytes] = []


class Heap(ctypes.Structure):
    """struct mallinfo2 (malloc.h, glibc 2.33)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def fill() -> None:
    for size in range(SMALLEST, LARGEST + 1, 16):
        if size > BYTES_HEAD:
            _filling.extend(bytes(size - BYTES_HEAD) for _ in range(POOLS_FILLED * POOL // size))
    fill_heap()


def fill_heap() -> None:
    """From the largest holes to the smallest: of each size as many as there are, until one would not come out of a hole."""
    about = sharing.libc().mallinfo2
    about.restype = Heap

    def free_in_holes() -> int:
        heap: Heap = about()
        return int(heap.fordblks - heap.keepcost)

    size, free = LARGE, free_in_holes()
    while size > LARGEST:
        block = bytes(size - BYTES_HEAD)
        left = free_in_holes()
        if left < free:
            _filling.append(block)
            free = left
        else:
            del block
            size -= max(16, size // 64 // 16 * 16)


def clear() -> None:
    """Once everything that stays is made."""
    blocks = [bytes(LARGEST - BYTES_HEAD) for _ in range(POOLS_CLEARED * POOL // LARGEST)]
    del blocks
    sharing.libc().malloc_trim(0)
