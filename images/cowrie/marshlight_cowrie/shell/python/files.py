"""Files of the pretended host as open() gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .things import Native, Thing

if TYPE_CHECKING:
    from .machine import Machine


def trouble(error: OSError, name: Any) -> OSError:
    """The error of the call as Python tells it: the name as it was given."""
    return type(error)(error.errno, error.strerror, name) if error.errno else error


async def open_(machine: Machine, name: Any, mode: str = "r", *more: Any, **named: Any) -> Thing:
    p = machine.p
    if not isinstance(name, str):
        raise TypeError(f"expected str, bytes or os.PathLike object, not {type(name).__name__}")
    path, binary = p.path(name), "b" in mode
    shown = f"<_io.{'BufferedReader' if binary else 'TextIOWrapper'} name={name!r}" + (">" if binary else f" mode={mode!r} encoding='UTF-8'>")
    data = b""
    try:
        if "r" in mode or "+" in mode:
            data = p.fs.read(path)
        elif "x" in mode and exists(p, path):
            raise FileExistsError(17, "File exists", name)
        if "w" in mode or "x" in mode or "a" in mode and not exists(p, path):
            p.fs.write(path, b"", mode=0o666 & ~p.umask)
    except OSError as error:
        raise trouble(error, name) from None
    return file_of(machine, shown, data, binary, path if set(mode) & set("wax+") else None)


def exists(p: Any, path: str) -> bool:
    try:
        p.fs.stat(path)
    except OSError:
        return False
    return True


def file_of(machine: Machine, shown: str, data: bytes, binary: bool, path: str | None) -> Thing:
    """What is read of it at once, and what is written to it as it comes."""
    kind = shown[5:].split(" ")[0]
    at, closed = 0, False

    def given(piece: bytes) -> Any:
        return piece if binary else machine.bounds.kept(piece.decode("utf-8", "replace").replace("\r\n", "\n"))

    def usable() -> None:
        if closed:
            raise ValueError("I/O operation on closed file.")

    async def read(machine: Machine, size: int | None = -1) -> Any:
        nonlocal at
        usable()
        end = len(data) if size is None or size < 0 else at + size
        piece, at = data[at:end], min(end, len(data))
        return given(piece)

    async def readline(machine: Machine, *more: Any) -> Any:
        nonlocal at
        usable()
        end = data.find(b"\n", at) + 1 or len(data)
        piece, at = data[at:end], end
        return given(piece)

    async def readlines(machine: Machine, *more: Any) -> Any:
        return [given(line) for line in data[at:].splitlines(keepends=True)]

    async def write(machine: Machine, text: Any) -> int:
        usable()
        if isinstance(text, str) == binary or not isinstance(text, (str, bytes, bytearray)):
            raise TypeError(f"a bytes-like object is required, not '{type(text).__name__}'" if binary else f"write() argument must be str, not {type(text).__name__}")
        if path is None:
            import io

            raise io.UnsupportedOperation("not writable")
        machine.p.fs.write(path, text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text), append=True)
        return len(text)

    async def writelines(machine: Machine, lines: Any) -> None:
        for line in machine.bounds.items(lines):
            await write(machine, line)

    async def close(machine: Machine) -> None:
        nonlocal closed
        closed = True

    async def nothing(machine: Machine, *more: Any) -> int:
        return 3

    functions = {"read": read, "readline": readline, "readlines": readlines, "write": write, "writelines": writelines}
    functions |= {"close": close, "flush": nothing, "fileno": nothing, "seek": nothing}
    lines = Lines(data, given)
    return Thing(kind, shown, {**{name: Native(name, run) for name, run in functions.items()}, "__items__": lines, "name": path})


class Lines:
    def __init__(self, data: bytes, given: Any) -> None:
        self.data, self.given = data, given

    def __iter__(self) -> Any:
        return iter([self.given(line) for line in self.data.splitlines(keepends=True)])

    def __len__(self) -> int:
        raise TypeError("object of type '_io.TextIOWrapper' has no len()")
