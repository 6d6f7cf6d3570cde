"""sys, platform, time, getpass, shutil: the machine as a program sees it."""

from __future__ import annotations

import time as clock
from typing import TYPE_CHECKING, Any

from .things import Native, Thing

if TYPE_CHECKING:
    from .machine import Machine


def version_of(p: Any) -> str:
    return next((package.version.partition("-")[0] for package in getattr(p.host.persona, "packages", ()) if package.name == "python3"), "3.11.2")


def banner(p: Any) -> str:
    return f"{version_of(p)} (main, Nov 30 2024, 21:22:50) [GCC 12.2.0]"


def output(machine: Machine, writer: Any, name: str, number: int) -> Thing:
    async def write(machine: Machine, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        writer.write(text.encode("utf-8", "surrogateescape"))
        await writer.drain()
        return len(text)

    async def write_bytes(machine: Machine, data: bytes) -> int:
        writer.write(bytes(data))
        return len(data)

    async def nothing(machine: Machine, *more: Any) -> None:
        return None

    async def fileno(machine: Machine) -> int:
        return number

    async def isatty(machine: Machine) -> bool:
        return bool(writer.is_tty)

    functions = {"write": write, "flush": nothing, "close": nothing, "fileno": fileno, "isatty": isatty}
    buffer = Thing("_io.BufferedWriter", f"<_io.BufferedWriter name='{name}'>", {"write": Native("write", write_bytes), "flush": Native("flush", nothing)})
    return Thing("_io.TextIOWrapper", f"<_io.TextIOWrapper name='{name}' mode='w' encoding='utf-8'>", {**{key: Native(key, run) for key, run in functions.items()}, "buffer": buffer})


def standard_input(machine: Machine) -> Thing:
    p = machine.p

    async def read(machine: Machine, size: int = -1) -> str:
        data = await p.stdin.read(size if size and size > 0 else -1)
        return bytes(data[: 1 << 20]).decode("utf-8", "replace")

    async def readline(machine: Machine) -> str:
        return (await p.stdin.readline()).decode("utf-8", "replace")

    async def readlines(machine: Machine) -> list[str]:
        return (await read(machine)).splitlines(keepends=True)

    async def fileno(machine: Machine) -> int:
        return 0

    functions = {"read": read, "readline": readline, "readlines": readlines, "fileno": fileno}
    return Thing("_io.TextIOWrapper", "<_io.TextIOWrapper name='<stdin>' mode='r' encoding='utf-8'>", {name: Native(name, run) for name, run in functions.items()})


def attributes(machine: Machine, name: str) -> dict[str, Any]:
    made = {"sys": of_sys, "platform": of_platform, "time": of_time, "getpass": of_getpass, "shutil": of_shutil}.get(name)
    return made(machine) if made is not None else {}


def of_sys(machine: Machine) -> dict[str, Any]:
    p = machine.p
    parts = [*(int(part) for part in version_of(p).split(".")[:3]), "final", 0]

    async def leave(machine: Machine, status: Any = None) -> None:
        raise SystemExit(status)

    async def nothing(machine: Machine, *more: Any) -> None:
        return None

    return {
        **{"version": banner(p), "version_info": tuple(parts), "platform": "linux", "executable": "/usr/bin/python3", "argv": machine.argv, "maxsize": (1 << 63) - 1},
        **{"byteorder": "little", "prefix": "/usr", "path": ["", "/usr/lib/python311.zip", "/usr/lib/python3.11", "/usr/lib/python3.11/lib-dynload", "/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages"]},
        **{"stdout": output(machine, p.stdout, "<stdout>", 1), "stderr": output(machine, p.stderr, "<stderr>", 2), "stdin": standard_input(machine)},
        **{"exit": Native("exit", leave), "hexversion": 0x30B02F0, "modules": {}, "setrecursionlimit": Native("setrecursionlimit", nothing)},
    }


def of_platform(machine: Machine) -> dict[str, Any]:
    persona = machine.p.host.persona
    kernel = persona.os.kernel
    uname = ("Linux", persona.hostname, kernel.release, kernel.build, kernel.machine)
    shown = "uname_result(" + ", ".join(f"{key}={value!r}" for key, value in zip(("system", "node", "release", "version", "machine"), uname, strict=True)) + ")"
    whole = Thing("uname_result", shown, {**dict(zip(("system", "node", "release", "version", "machine"), uname, strict=True)), "__items__": [*uname, ""], "__mapping__": (*uname, "")})
    values = {
        **{"system": "Linux", "node": persona.hostname, "release": kernel.release, "version": kernel.build, "machine": kernel.machine, "processor": ""},
        **{"platform": f"Linux-{kernel.release}-{kernel.machine}-with-glibc2.36", "python_version": version_of(machine.p), "uname": whole},
        **{"architecture": ("64bit" if "64" in kernel.machine else "32bit", "ELF"), "python_implementation": "CPython", "libc_ver": ("glibc", "2.36")},
        **{"dist": None, "linux_distribution": None},
    }

    def giving(value: Any) -> Any:
        async def run(machine: Machine, *more: Any) -> Any:
            return value

        return run

    return {name: Native(name, giving(value)) for name, value in values.items() if value is not None}


def of_time(machine: Machine) -> dict[str, Any]:
    p = machine.p

    def local() -> Any:
        return clock.gmtime(p.host.now() + getattr(p.host, "utc_offset", 0.0))

    async def time(machine: Machine) -> float:
        return float(p.host.now())

    async def sleep(machine: Machine, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        await p.host.sleep(seconds)

    async def strftime(machine: Machine, form: str, *more: Any) -> str:
        machine.bounds.length(len(form) * 32)
        return clock.strftime(form, local())

    async def ctime(machine: Machine, *more: Any) -> str:
        return clock.strftime("%a %b %e %H:%M:%S %Y", local())

    return {name: Native(name, run) for name, run in {"time": time, "sleep": sleep, "strftime": strftime, "ctime": ctime, "perf_counter": time, "monotonic": time}.items()}


def of_getpass(machine: Machine) -> dict[str, Any]:
    async def getuser(machine: Machine) -> str:
        return machine.p.account.name

    return {"getuser": Native("getuser", getuser)}


def of_shutil(machine: Machine) -> dict[str, Any]:
    from ..commands.paths import find_in_path

    async def which(machine: Machine, name: str, *more: Any) -> str | None:
        return next(iter(find_in_path(machine.p, name)), None)

    async def run(machine: Machine, *words: str) -> None:
        await machine.p.spawn(list(words))

    async def copy(machine: Machine, source: str, target: str) -> str:
        await run(machine, "cp", "-p", source, target)
        return target

    async def rmtree(machine: Machine, path: str, *more: Any, **named: Any) -> None:
        await run(machine, "rm", "-rf", path)

    async def move(machine: Machine, source: str, target: str) -> str:
        await run(machine, "mv", source, target)
        return target

    return {name: Native(name, one) for name, one in {"which": which, "copy": copy, "copyfile": copy, "copy2": copy, "rmtree": rmtree, "move": move}.items()}
