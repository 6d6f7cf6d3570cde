"""What more than one request is answered with: statuses, in the real server's words, and attributes."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from . import wire

if TYPE_CHECKING:
    from ..shell.ports import Stat

WORDS = (
    *("Success", "End of file", "No such file", "Permission denied", "Failure", "Bad message"),
    *("No connection", "Connection lost", "Operation unsupported"),
)
CODES = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP), wire.NO_SUCH_FILE),
    **dict.fromkeys((errno.EPERM, errno.EACCES, errno.EFAULT), wire.PERMISSION_DENIED),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.EINVAL), wire.BAD_MESSAGE),
    errno.ENOSYS: wire.UNSUPPORTED,
}


def refusal(failed: OSError) -> tuple[int, bytes]:
    """As the real server maps errno."""
    return status(CODES.get(failed.errno or 0, wire.FAILURE))


def status(code: int) -> tuple[int, bytes]:
    return wire.STATUS, wire.u32(code) + wire.string(WORDS[code]) + wire.string(b"")


def attributes(found: Stat) -> bytes:
    flags = wire.SIZE | wire.OWNER | wire.PERMISSIONS | wire.TIMES
    numbers: tuple[Any, ...] = (found.uid, found.gid, found.mode, int(found.mtime), int(found.mtime))
    return wire.u32(flags) + wire.u64(found.size) + b"".join(wire.u32(number) for number in numbers)
