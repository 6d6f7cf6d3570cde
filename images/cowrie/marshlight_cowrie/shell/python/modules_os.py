"""os and os.path: the file system and the account of whoever runs the program."""

from __future__ import annotations

import posixpath
import stat as modes
from typing import TYPE_CHECKING, Any

from .files import trouble
from .names import plain
from .things import Native, Thing

if TYPE_CHECKING:
    from .machine import Machine


def attributes(machine: Machine, name: str) -> dict[str, Any]:
    if name == "os":
        return {**calls(machine), "path": machine.import_module("os.path")}
    return paths(machine) if name in ("os.path", "posixpath") else {}


def paths(machine: Machine) -> dict[str, Any]:
    p = machine.p

    def stat(path: Any) -> Any:
        try:
            return p.fs.stat(p.path(path))
        except OSError:
            return None

    def is_kind(test: Any) -> Any:
        return lambda path: (found := stat(path)) is not None and test(found.mode)

    def getsize(path: str) -> int:
        try:
            return int(p.fs.stat(p.path(path)).size)
        except OSError as error:
            raise trouble(error, path) from None

    pure = {name: getattr(posixpath, name) for name in ("join", "basename", "dirname", "split", "splitext", "normpath", "isabs", "commonprefix")}
    made = {
        **{"exists": lambda path: stat(path) is not None, "lexists": lambda path: stat(path) is not None, "isfile": is_kind(modes.S_ISREG)},
        **{"isdir": is_kind(modes.S_ISDIR), "getsize": getsize, "abspath": lambda path: posixpath.normpath(p.path(path)), "realpath": lambda path: posixpath.normpath(p.path(path))},
        **{"expanduser": lambda path: path.replace("~", p.env.get("HOME") or p.account.home, 1) if path.startswith("~") else path},
        "islink": lambda path: is_link(p, path),
    }
    return {**{name: plain(name, run) for name, run in (pure | made).items()}, "sep": "/"}


def is_link(p: Any, path: str) -> bool:
    try:
        return modes.S_ISLNK(p.fs.stat(p.path(path), follow=False).mode)
    except OSError:
        return False


def calls(machine: Machine) -> dict[str, Any]:
    p = machine.p
    kernel = p.host.persona.os.kernel

    def on_path(run: Any) -> Any:
        def called(path: str = ".", *more: Any, **named: Any) -> Any:
            try:
                return run(p.path(path), *more, **named)
            except OSError as error:
                raise trouble(error, path) from None

        return called

    def makedirs(path: str, mode: int = 0o777, exist_ok: bool = False) -> None:
        parts = [part for part in path.split("/") if part]
        for number in range(1, len(parts) + 1):
            each = "/" + "/".join(parts[:number])
            try:
                p.fs.mkdir(each, mode & ~p.umask)
            except FileExistsError:
                if number == len(parts) and not exist_ok:
                    raise

    def chdir(path: str) -> None:
        if not modes.S_ISDIR(p.fs.stat(path).mode):
            raise NotADirectoryError(20, "Not a directory", path)
        p.cwd = posixpath.normpath(path)

    def stat(path: str) -> Thing:
        found = p.fs.stat(path)
        names = {"st_mode": found.mode, "st_ino": found.inode, "st_nlink": found.links, "st_uid": found.uid, "st_gid": found.gid, "st_size": found.size, "st_mtime": found.mtime}
        return Thing("os.stat_result", "os.stat_result(" + ", ".join(f"{key}={value}" for key, value in names.items()) + ")", names)

    def access(path: str, mode: int = 0) -> bool:
        try:
            p.fs.stat(path)
        except OSError:
            return False
        return mode == 0 or bool(p.fs.access(path, read=bool(mode & 4), write=bool(mode & 2), execute=bool(mode & 1)))

    def rename(old: str, new: str) -> None:
        try:
            p.fs.rename(p.path(old), p.path(new))
        except OSError as error:
            raise type(error)(error.errno, error.strerror, old, None, new) from None

    def kill(pid: int, number: int) -> None:
        if p.table:
            p.table.signal(pid, number, p.account)

    def putenv(name: str, value: str) -> None:
        p.env = {**p.env, name: value}

    uname = ("Linux", p.host.persona.hostname, kernel.release, kernel.build, kernel.machine)
    fields = dict(zip(("sysname", "nodename", "release", "version", "machine"), uname, strict=True))
    whole = Thing("posix.uname_result", "posix.uname_result(" + ", ".join(f"{key}={value!r}" for key, value in fields.items()) + ")", {**fields, "__items__": list(uname), "__mapping__": uname})
    environment = Thing("os._Environ", f"environ({p.env!r})", {"__mapping__": p.env, "__items__": p.env})
    environment.attributes |= {
        "get": plain("get", lambda name, default=None: p.env.get(name, default)), "items": plain("items", lambda: list(p.env.items())),
        "copy": plain("copy", lambda: dict(p.env)), "keys": plain("keys", lambda: list(p.env)),
    }  # fmt: skip
    functions = {
        **{"getcwd": lambda: p.cwd, "getpid": lambda: p.pid, "getppid": lambda: p.ppid, "getuid": lambda: p.account.uid, "geteuid": lambda: p.account.uid},
        **{"getgid": lambda: p.account.gid, "getegid": lambda: p.account.gid, "cpu_count": lambda: p.host.persona.hardware.cores, "getlogin": lambda: p.account.name},
        **{"listdir": on_path(lambda path: [name for name in p.fs.listdir(path) if name not in (".", "..")]), "remove": on_path(p.fs.unlink), "unlink": on_path(p.fs.unlink)},
        **{"rmdir": on_path(p.fs.rmdir), "mkdir": on_path(lambda path, mode=0o777: p.fs.mkdir(path, mode & ~p.umask)), "makedirs": on_path(makedirs)},
        **{"chmod": on_path(p.fs.chmod), "chown": on_path(p.fs.chown), "chdir": on_path(chdir), "stat": on_path(stat), "access": on_path(access), "readlink": on_path(p.fs.readlink)},
        **{"rename": rename, "kill": kill, "putenv": putenv, "getenv": lambda name, default=None: p.env.get(name, default), "umask": lambda mask: 0o022},
        **{"urandom": lambda size: bytes_of(machine, size), "setsid": lambda: None, "setpgrp": lambda: None, "getloadavg": lambda: (0.08, 0.03, 0.01)},
        "get_terminal_size": lambda *more: p.size,
    }  # fmt: skip

    async def setid(machine: Machine, number: int) -> None:
        if p.account.uid:
            raise PermissionError(1, "Operation not permitted")

    async def give_uname(machine: Machine) -> Thing:
        return whole

    made: dict[str, Any] = {name: plain(name, run) for name, run in functions.items()}
    made |= {name: Native(name, setid) for name in ("setuid", "setgid", "seteuid", "setegid")}
    return {
        **made, "uname": Native("uname", give_uname), "environ": environment, "name": "posix", "sep": "/", "linesep": "\n", "devnull": "/dev/null",
        "F_OK": 0, "R_OK": 4, "W_OK": 2, "X_OK": 1, "O_RDONLY": 0, "O_WRONLY": 1, "O_CREAT": 64, "error": OSError,
    }  # fmt: skip


def bytes_of(machine: Machine, size: int) -> bytes:
    import os

    machine.bounds.length(size)
    return os.urandom(size)
