"""What changes mode, owner and times: chmod, chown, utimensat. Checks in the order of the kernel's fs/attr.c."""

from __future__ import annotations

import errno
import stat as st

from .removal import Removal
from .walk import SETGID, SETUID, WRITE, error


class Attributes(Removal):
    def chmod(self, path: str, mode: int) -> None:
        ino, node = self.existing(path)
        self._need_owner(node, path)
        if self.account.uid != 0 and node.gid not in self.account.gids and not node.is_dir:
            mode &= ~SETGID
        changed = self._change(ino, path)
        changed.mode = st.S_IFMT(changed.mode) | mode & 0o7777
        self._changed(changed)

    def chown(self, path: str, uid: int, gid: int, *, follow: bool = True) -> None:
        """-1 leaves the one or the other."""
        ino, node = self.existing(path, follow=follow)
        account = self.account
        if account.uid != 0:
            given_away = uid not in (-1, node.uid)
            strange = gid not in (-1, node.gid) and gid not in account.gids
            if given_away or account.uid != node.uid and (uid, gid) != (-1, -1) or strange:
                raise error(errno.EPERM, path)
        changed = self._change(ino, path)
        changed.uid = node.uid if uid == -1 else uid
        changed.gid = node.gid if gid == -1 else gid
        if st.S_ISREG(changed.mode):
            changed.mode &= ~(SETUID | (SETGID if changed.mode & 0o010 else 0))
        self._changed(changed)

    def utime(self, path: str, mtime: float | None, *, follow: bool = True) -> None:
        """None: now, which whoever may write can have."""
        ino, node = self.existing(path, follow=follow)
        if not self.account.owns(node):
            if mtime is not None:
                raise error(errno.EPERM, path)
            self._need(node, WRITE, path)
        changed = self._change(ino, path)
        changed.mtime = self.clock() if mtime is None else mtime
        self._changed(changed)
