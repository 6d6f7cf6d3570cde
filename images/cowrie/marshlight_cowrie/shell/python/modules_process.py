"""Other programs out of one: os.system, os.popen, os.exec*, subprocess, pty, commands run by the host's own shell."""

from __future__ import annotations

import shlex
import subprocess as real
from typing import TYPE_CHECKING, Any

from ..commands.terminals import Returning
from ..streams import Null, Sink, Source, Stream
from .files import file_of
from .things import Leave, Native, Thing

if TYPE_CHECKING:
    from .machine import Machine

PIPE, STDOUT, DEVNULL = -1, -2, -3


def attributes(machine: Machine, name: str) -> dict[str, Any]:
    if name == "os":
        return {**{key: Native(key, run) for key, run in OF_OS.items()}, **{key: Native(key, executed(key)) for key in EXEC}}
    if name == "pty":
        return {"spawn": Native("spawn", spawn_on_terminal)}
    if name == "subprocess":
        made: dict[str, Any] = {key: Native(key, run) for key, run in OF_SUBPROCESS.items()}
        return {**made, "PIPE": PIPE, "STDOUT": STDOUT, "DEVNULL": DEVNULL, "CalledProcessError": real.CalledProcessError, "TimeoutExpired": real.TimeoutExpired}
    return {}


async def system(machine: Machine, line: str) -> int:
    if not isinstance(line, str):
        raise TypeError(f"expected str, bytes or os.PathLike object, not {type(line).__name__}")
    status = await machine.p.spawn(["sh", "-c", line], called="sh")
    return status << 8


async def popen(machine: Machine, line: str, mode: str = "r", *more: Any) -> Thing:
    status, out, _ = await ran(machine, ["sh", "-c", line], keep=True)
    if status < 0:
        out = b""
    return file_of(machine, "<os._wrap_close object at 0x7f4c1d2e3a90>", out, False, None)


async def ran(machine: Machine, words: list[str], *, keep: bool, data: bytes | None = None, errors: Any = None, cwd: str | None = None, env: Any = None, quiet: bool = False) -> tuple[int, bytes, bytes]:
    p = machine.p
    out, err = Sink(1 << 20), Sink(1 << 20)
    stdout = out if keep else Null() if quiet else p.stdout
    stderr = out if errors == STDOUT and keep else err if errors == PIPE else Null() if errors == DEVNULL else p.stderr
    more: dict[str, Any] = {} if cwd is None else {"cwd": p.path(cwd)}
    if isinstance(env, dict):
        more["env"] = {str(key): str(value) for key, value in env.items()}
    try:
        status = await p.spawn(words, stdin=None if data is None else Source(data), stdout=stdout, stderr=stderr, **more)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, words[0]) from None
    return status, bytes(out.data), bytes(err.data)


def words_of(args: Any, shell: bool) -> list[str]:
    if shell:
        return ["sh", "-c", args if isinstance(args, str) else str(args[0])]
    words = [args] if isinstance(args, str) else [str(word) for word in args]
    if not words:
        raise IndexError("list index out of range")
    return words


async def run(machine: Machine, args: Any, *, check: bool = False, **named: Any) -> Thing:
    text = bool(named.get("text") or named.get("universal_newlines") or named.get("encoding"))
    captured = bool(named.get("capture_output"))
    keep, errors = captured or named.get("stdout") == PIPE, PIPE if captured else named.get("stderr")
    given = named.get("input")
    data = given.encode() if isinstance(given, str) else given if isinstance(given, bytes) else b"" if isinstance(named.get("stdin"), int) else None
    machine.bounds.weigh(args)
    words = words_of(args, bool(named.get("shell")))
    status, out, err = await ran(machine, words, keep=keep, data=data, errors=errors, cwd=named.get("cwd"), env=named.get("env"), quiet=named.get("stdout") == DEVNULL)

    def shown(piece: bytes) -> Any:
        return machine.bounds.kept(piece.decode("utf-8", "replace") if text else piece)

    stdout, stderr = shown(out) if keep else None, shown(err) if errors == PIPE else None
    if check and status:
        raise real.CalledProcessError(status, args, stdout, stderr)
    extra = (f", stdout={stdout!r}" if keep else "") + (f", stderr={stderr!r}" if errors == PIPE else "")
    return Thing("CompletedProcess", f"CompletedProcess(args={args!r}, returncode={status}{extra})", {"returncode": status, "stdout": stdout, "stderr": stderr, "args": args})


async def call(machine: Machine, args: Any, **named: Any) -> int:
    return int((await run(machine, args, **named)).attributes["returncode"])


async def check_call(machine: Machine, args: Any, **named: Any) -> int:
    await run(machine, args, check=True, **named)
    return 0


async def check_output(machine: Machine, args: Any, **named: Any) -> Any:
    return (await run(machine, args, check=True, stdout=PIPE, **named)).attributes["stdout"]


async def getoutput(machine: Machine, line: str) -> str:
    _, out, _ = await ran(machine, ["sh", "-c", line], keep=True, errors=STDOUT)
    return out.decode("utf-8", "replace").removesuffix("\n")


async def getstatusoutput(machine: Machine, line: str) -> tuple[int, str]:
    status, out, _ = await ran(machine, ["sh", "-c", line], keep=True, errors=STDOUT)
    return status, out.decode("utf-8", "replace").removesuffix("\n")


async def popen_object(machine: Machine, args: Any, *more: Any, **named: Any) -> Thing:
    """Run to its end at once; what it said can be read after."""
    done = await run(machine, args, **named)
    values, status = done.attributes, done.attributes["returncode"]

    async def communicate(machine: Machine, *more: Any, **named: Any) -> tuple[Any, Any]:
        return values["stdout"], values["stderr"]

    async def wait(machine: Machine, *more: Any, **named: Any) -> int:
        return int(status)

    def reader(piece: Any) -> Any:
        if piece is None:
            return None
        data = piece.encode() if isinstance(piece, str) else piece
        return file_of(machine, "<_io.BufferedReader name=3>", data, not isinstance(piece, str), None)

    functions = {"communicate": communicate, "wait": wait, "poll": wait, "kill": wait, "terminate": wait}
    return Thing(
        "Popen", f"<Popen: returncode: {status} args: {args!r}>",
        {**{name: Native(name, one) for name, one in functions.items()}, "pid": machine.p.pid + 1, "returncode": status, "stdout": reader(values["stdout"]), "stderr": reader(values["stderr"]), "close": Native("close", wait)},
    )  # fmt: skip


class Typed(Stream):
    is_tty = readable = True

    def __init__(self, source: Any) -> None:
        self.source = source

    async def read(self, most: int = -1) -> bytes:
        return bytes(await self.source.read(most))

    async def readline(self) -> bytes:
        return bytes(await self.source.readline())


async def spawn_on_terminal(machine: Machine, args: Any, *more: Any) -> int:
    """`pty.spawn("/bin/bash")`: where there is a terminal, the same one serves."""
    words = [args] if isinstance(args, str) else [str(word) for word in args]
    p = machine.p
    more: dict[str, Any] = {}
    if not p.stdin.is_tty:
        # The pair of the terminal that it makes: what comes in is typed there, what is shown comes out.
        out = Returning(p.stdout)
        out.is_tty = True
        more = {"stdin": Typed(p.stdin), "stdout": out, "stderr": out}
    try:
        return int(await p.spawn(words, **more)) << 8
    except OSError:
        return 1 << 8


def executed(name: str) -> Any:
    async def run_instead(machine: Machine, path: str, *arguments: Any) -> None:
        words = [str(one) for one in (machine.bounds.items(arguments[0]) if "v" in name and arguments else arguments)]
        env = words.pop() if name.endswith("e") and "l" in name else None
        if env is not None:
            words = words or [path]
        try:
            status = await machine.p.spawn([path, *words[1:]], called=words[0] if words else path)
        except OSError as error:
            raise type(error)(error.errno, error.strerror) from None
        raise Leave(status)

    return run_instead


async def leave(machine: Machine, status: int = 0) -> None:
    raise Leave(int(status) & 255)


async def fork(machine: Machine) -> int:
    """The parent of a daemon ends and the child goes on: the child is the one that is played."""
    return 0


async def nothing(machine: Machine, *more: Any) -> int:
    return 0


async def spawnlp(machine: Machine, mode: int, path: str, *words: str) -> int:
    return int(await machine.p.spawn([path, *words[1:]]))


async def split(machine: Machine, text: str) -> list[str]:
    return shlex.split(text)


EXEC = ("execl", "execlp", "execle", "execv", "execvp", "execve", "execvpe")
OF_OS = {"system": system, "popen": popen, "_exit": leave, "fork": fork, "dup2": nothing, "close": nothing, "wait": nothing, "nice": nothing, "setpgid": nothing, "spawnlp": spawnlp}
OF_SUBPROCESS = {
    **{"run": run, "call": call, "check_call": check_call, "check_output": check_output, "getoutput": getoutput, "getstatusoutput": getstatusoutput},
    "Popen": popen_object,
}
