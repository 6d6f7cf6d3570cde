"""Cowrie's HoneyPotFilesystem, as its commands use it, on a View of the tree. Imported once Cowrie may be."""

from __future__ import annotations

import os
import posixpath
import re
import stat as st
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cowrie.shell import fs as stock
from cowrie.shell.fs import FileNotFound, HoneyPotFilesystem, PermissionDenied

from . import places
from .tree.node import Spooled

if TYPE_CHECKING:
    from .tree import Trees
    from .tree.view import View

#: What a command of Cowrie's is given a link or a file as.
KINDS = {
    st.S_IFLNK: stock.T_LINK,
    st.S_IFDIR: stock.T_DIR,
    st.S_IFREG: stock.T_FILE,
    st.S_IFBLK: stock.T_BLK,
    st.S_IFCHR: stock.T_CHR,
    st.S_IFSOCK: stock.T_SOCK,
    st.S_IFIFO: stock.T_FIFO,
}
#: A captured file that an event has named.
FINISHED = re.compile("[0-9a-f]{64}")


class Entry(list[Any]):
    """Cowrie's ten fields of a node, read off the tree; `path` says of which."""

    path = ""


class TreeFilesystem(HoneyPotFilesystem):  # type: ignore[misc]
    """Nothing is kept here but the names of captured files: the tree is the truth."""

    def __init__(self, view: View, arch: str, home: str) -> None:
        self.view, self.arch, self.home = view, arch, home
        self.tempfiles, self.filenames, self.generated_files = {}, {}, {}
        self.newcount = 0
        self.captured: dict[str, str] = {}
        self.seen: dict[str, tuple[int, int]] = {}

    @property
    def fs(self) -> Entry:
        return self.entry("/")

    def _ensure_private_fs(self) -> None:
        """The tree is private where it is written."""

    def sync(self) -> None:
        """Cowrie's redirections go on writing to the captured file."""
        for path, real in list(self.captured.items()):
            try:
                found = os.stat(real)
            except OSError:
                # Finished: it has the name of its digest now.
                del self.captured[path]
                continue
            stamp = (found.st_size, found.st_mtime_ns)
            if self.seen.get(path) != stamp:
                self.seen[path] = stamp
                translated(lambda path=path, real=real: self.view.write(path, Path(real).read_bytes()))
                if FINISHED.fullmatch(posixpath.basename(real)):
                    # Cowrie has told of it, with where it came from.
                    self.view.forget_written(path)

    def entry(self, path: str, follow: bool = True) -> Entry:
        self.sync()
        return self._entry(path, follow, with_names=True)

    def _entry(self, path: str, follow: bool, with_names: bool) -> Entry:
        found = self.view.stat(path, follow=follow)
        contents: Any = []
        if st.S_ISDIR(found.mode) and with_names:
            contents = self.names(path)
        name = posixpath.basename(path.rstrip("/")) or "/"
        made = Entry(
            (name, KINDS[st.S_IFMT(found.mode)], found.uid, found.gid, found.size, found.mode, found.mtime)
            + (contents, found.target, self.real_file(path, found.mode))
        )
        made.path = path
        return made

    def names(self, path: str) -> list[Entry]:
        try:
            names = sorted(self.view.listdir(path))
        except PermissionError:
            return []
        return [self._entry(posixpath.join(path, name), False, with_names=False) for name in names]

    def real_file(self, path: str, mode: int) -> str | None:
        if not st.S_ISREG(mode):
            return None
        captured = self.captured.get(path)
        if captured and os.path.exists(captured):
            return captured
        ino, _ = self.view.existing(path)
        node = self.view.overlay.nodes.get(ino)
        if node and isinstance(node.data, Spooled):
            return str(places.STATE / "tree" / "blobs" / node.data.digest)
        return None

    def getfile(self, path: str, follow_symlinks: bool = True) -> Entry | None:
        try:
            return self.entry(path or "/", follow_symlinks)
        except OSError:
            return None

    def get_path(self, path: str, follow_symlinks: bool = True) -> list[Entry]:
        found = self.getfile(path, follow_symlinks)
        if found is None:
            raise FileNotFound
        return found[stock.A_CONTENTS]  # type: ignore[no-any-return]

    def file_contents(self, target: str) -> bytes:
        self.sync()
        if target in self.generated_files and not self.view.access(target, read=True):
            return self.generated_files[target]()
        return translated(lambda: self.view.read(target))

    def update_realfile(self, f: Any, realfile: str) -> None:
        """A captured file becomes the contents of the node."""
        path = getattr(f, "path", None)
        if path is None or not os.path.isfile(realfile) or os.path.islink(realfile):
            return
        self.captured[path] = realfile
        self.sync()

    def link_entry(self, entry: Any, dirpath: str) -> None:
        """Puts a copy of what the entry was read from under its name."""
        source, target = getattr(entry, "path", None), posixpath.join(dirpath, entry[stock.A_NAME])
        if source is not None:
            translated(lambda: self.copy(source, target))

    def copy(self, source: str, target: str) -> None:
        found = self.view.stat(source, follow=False)
        if st.S_ISDIR(found.mode):
            self.view.mkdir(target, st.S_IMODE(found.mode))
            for name in self.view.listdir(source):
                self.copy(posixpath.join(source, name), posixpath.join(target, name))
        elif st.S_ISLNK(found.mode):
            self.view.symlink(found.target or "", target)
        else:
            self.view.write(target, self.view.read(source), mode=st.S_IMODE(found.mode))

    def unlink_entry(self, entry: Any, dirpath: str) -> None:
        translated(lambda: self.discard(posixpath.join(dirpath, entry[stock.A_NAME])))

    def discard(self, path: str) -> None:
        if st.S_ISDIR(self.view.stat(path, follow=False).mode):
            for name in self.view.listdir(path):
                self.discard(posixpath.join(path, name))
            self.view.rmdir(path)
        else:
            self.view.unlink(path)

    def mkfile(self, path: str, uid: int, gid: int, size: int, mode: int, ctime: float | None = None) -> bool:
        # Owner and size are those of whoever writes: Cowrie's commands say root and what they expect.
        translated(lambda: self.view.write(path, b"", mode=st.S_IMODE(mode) or 0o644))
        return True

    def mkdir(self, path: str, uid: int, gid: int, size: int, mode: int, ctime: float | None = None) -> None:
        self.view.mkdir(path, st.S_IMODE(mode))

    def mkdir2(self, path: str) -> None:
        self.view.mkdir(path)

    def is_executable(self, path: str, uid: int, gid: int) -> bool:
        return self.view.as_account(uid, (gid,)).access(path, execute=True)

    def rmdir(self, path: str) -> bool:
        self.view.rmdir(path)
        return True

    def utime(self, path: str, _atime: float, mtime: float) -> None:
        self.view.utime(path, mtime)

    def chmod(self, path: str, perm: int) -> None:
        self.view.chmod(path, perm)

    def chown(self, path: str, uid: int, gid: int) -> None:
        self.view.chown(path, uid, gid)

    def remove(self, path: str) -> None:
        self.discard(path)

    def readlink(self, path: str) -> str:
        return self.view.readlink(path)

    def symlink(self, targetPath: str, linkPath: str) -> None:
        self.view.symlink(targetPath, linkPath)

    def rename(self, oldpath: str, newpath: str) -> None:
        self.view.rename(oldpath, newpath)

    def listdir(self, path: str) -> list[str]:
        return self.view.listdir(path)

    def stat(self, path: str, follow_symlinks: bool = True) -> Any:
        found = self.view.stat(path, follow=follow_symlinks)
        return stock._statobj(
            *(found.mode, found.inode, 2049, found.links, found.uid, found.gid, found.size),
            *(found.mtime, found.mtime, found.ctime),
        )

    def update_size(self, filename: str, size: int) -> None:
        self.sync()


def translated(call: Any) -> Any:
    """Cowrie's commands catch its own two exceptions, and OSError hardly."""
    try:
        return call()
    except FileNotFoundError:
        raise FileNotFound from None
    except PermissionError:
        raise PermissionDenied from None


def install(trees: Trees) -> None:
    from .signatures import expect

    expect(HoneyPotFilesystem.getfile, "(self, path, follow_symlinks)")
    expect(HoneyPotFilesystem.file_contents, "(self, target)")
    expect(HoneyPotFilesystem.update_realfile, "(self, f, realfile)")
    expect(HoneyPotFilesystem.link_entry, "(self, entry, dirpath)")
    expect(HoneyPotFilesystem.mkfile, "(self, path, uid, gid, size, mode, ctime)")
    expect(HoneyPotFilesystem.mkdir, "(self, path, uid, gid, size, mode, ctime)")
    expect(HoneyPotFilesystem.rename, "(self, oldpath, newpath)")
