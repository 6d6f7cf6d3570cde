"""Bytes made visible: od xxd hexdump strings; and dd, file, stat, du."""

from __future__ import annotations

import re
import stat as modes
from typing import TYPE_CHECKING

from .inputs import Inputs, pieces, whole
from .listing import blocks_of, device_numbers, human
from .names import group_name, user_name
from .options import Options, Usage, complain, parse, refuse
from .times import local
from .wording import if_needed, quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process

NAMED = ("nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp").split()
SHORT = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
UNITS = {"c": 1, "w": 2, "b": 512, "k": 1024, "kB": 1000, "K": 1024, "M": 1 << 20, "MB": 10**6, "G": 1 << 30}


def od_cell(kind: str, size: int, chunk: bytes) -> str:
    value = int.from_bytes(chunk, "little")
    if kind == "c":
        byte = chunk[0]
        return f"{SHORT.get(byte) or (chr(byte) if 32 <= byte < 127 else f'{byte:03o}'):>4}"
    if kind == "a":
        byte = chunk[0] & 127
        return f"{NAMED[byte] if byte <= 32 else 'del' if byte == 127 else chr(byte):>4}"
    if kind == "x":
        return f" {value:0{size * 2}x}"
    if kind == "o":
        return f" {value:0{ {1: 3, 2: 6, 4: 11, 8: 22}[size]}o}"
    if kind == "u":
        return f" {value:{ {1: 3, 2: 5, 4: 10, 8: 20}[size]}d}"
    signed = int.from_bytes(chunk, "little", signed=True)
    return f" {signed:{ {1: 4, 2: 6, 4: 11, 8: 20}[size]}d}"


async def od(p: Process) -> int:
    options = parse(p, "A:abcdDfhij:lN:oOs:S:t:vw::xX", "address-radix=:A skip-bytes=:j read-bytes=:N format=:t output-duplicates:v width=?:w")
    sizes = {"C": 1, "S": 2, "I": 4, "L": 8}
    old = {"a": ("a", 1), "b": ("o", 1), "c": ("c", 1), "d": ("u", 2), "o": ("o", 2), "s": ("d", 2), "x": ("x", 2), "i": ("d", 4), "l": ("d", 8), "h": ("x", 2), "X": ("x", 4)}
    forms: list[tuple[str, int]] = []
    for name, value in options.given:
        if name == "t":
            for kind, size in re.findall(r"([acdoux])(\d|[CSIL])?", value):
                forms.append((kind, 1 if kind in "ac" else sizes.get(size) or int(size or 4)))
        elif name in old:
            forms.append(old[name])
    forms = forms or [("o", 2)]
    skip, most = number_of(options.text("j", "0")), options.value("N")
    inputs = Inputs(p, options.operands)
    if most is not None:
        held = b""
        for name in options.operands or ["-"]:
            try:
                async for piece in pieces(p, name):
                    held += piece
                    if len(held) >= skip + number_of(most):
                        break
            except OSError as error:
                complain(p, f"{if_needed(name)}: {strerror(error)}")
                inputs.status = 1
        data = held[skip : skip + number_of(most)]
    else:
        data = (await inputs.all())[skip:]
    width = int(options.text("w") or 32) if "w" in options else 16
    radix = options.text("A", "o")

    def address(at: int) -> str:
        return {"o": f"{at:07o}", "d": f"{at:07d}", "x": f"{at:06x}", "n": ""}[radix[0]]

    # Cells of several forms stand below each other: each is as wide as the widest needs for its bytes.
    per_byte = max(len(od_cell(kind, size, b"\0" * size)) / size for kind, size in forms)
    before, starred = b"", False
    for at in range(0, len(data), width):
        line = data[at : at + width]
        if line == before and "v" not in options and len(line) == width:
            if not starred:
                p.out("*\n")
            starred = True
            continue
        before, starred = line, False
        for index, (kind, size) in enumerate(forms):
            cells = "".join(f"{od_cell(kind, size, line[i : i + size].ljust(size, bytes(1))):>{int(per_byte * size)}}" for i in range(0, len(line), size))
            lead = address(skip + at) if index == 0 else " " * len(address(0))
            p.out(f"{lead}{cells}\n")
    if radix[0] != "n" and (data or not inputs.status):
        p.out(address(skip + len(data)) + "\n")
    return inputs.status


def number_of(text: str) -> int:
    found = re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)([a-zA-Z]*)", text)
    return int(found[1], 0 if found[1].startswith("0x") else 10) * UNITS.get(found[2], 1) if found else 0


async def xxd(p: Process) -> int:
    args = list(p.args[1:])
    plain, back, upper, columns, limit, skip, group = False, False, False, 0, None, 0, 2
    names: list[str] = []
    while args:
        word = args.pop(0)
        flag = word[1:2] if word.startswith("-") and len(word) > 1 else ""
        if flag in ("c", "l", "s", "g"):
            value = number_of(word[2:] or (args.pop(0) if args else "0"))
            columns, limit, skip, group = (value if flag == "c" else columns, value if flag == "l" else limit, value if flag == "s" else skip, value if flag == "g" else group)
        elif flag:
            plain, back, upper = plain or "p" in word, back or "r" in word, upper or "u" in word
        else:
            names.append(word)
    name = (names or ["-"])[0]
    try:
        data = b""
        async for piece in pieces(p, name):
            data += piece
            if limit is not None and len(data) >= skip + limit or len(data) > 1 << 24:
                break
    except OSError as error:
        raise Usage(f"xxd: {name}: {strerror(error)}\n", 2) from None
    if back:
        text = data.decode("latin1")
        if not plain:
            text = "".join(line.partition(":")[2].strip().split("  ")[0] for line in text.splitlines())
        digits = re.sub(r"[^0-9a-fA-F]", "", text)
        p.stdout.write(bytes.fromhex(digits[: len(digits) // 2 * 2]))
        return 0
    data = data[skip : skip + limit if limit is not None else None]
    if plain:
        width = columns or 30
        text = "".join(data[at : at + width].hex() + "\n" for at in range(0, len(data), width))
        p.out(text.upper() if upper else text)
        return 0
    width = columns or 16
    for at in range(0, len(data), width):
        line = data[at : at + width]
        text = line.hex()
        cells = " ".join(text[i : i + group * 2] for i in range(0, len(text), group * 2))
        pad = width * 2 + (width - 1) // group
        p.out(f"{skip + at:08x}: {cells.upper() if upper else cells:<{pad}}  {printable(line)}\n")
    return 0


def printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)


async def hexdump(p: Process) -> int:
    options = parse(p, "bcCde:f:n:os:vxL", "canonical:C length=:n skip=:s no-squeezing:v one-byte-octal:b")
    limit, skip = options.value("n"), number_of(options.text("s", "0"))
    data = b""
    for name in options.operands or ["-"]:
        try:
            async for piece in pieces(p, name):
                data += piece
                if limit is not None and len(data) >= skip + number_of(limit):
                    break
        except OSError as error:
            complain(p, f"{name}: {strerror(error)}")
            return 1
    data = data[skip : skip + number_of(limit) if limit is not None else None]
    canonical = "C" in options or p.args[0].endswith("hd")
    before, starred = b"", False
    for at in range(0, len(data), 16):
        line = data[at : at + 16]
        if line == before and len(line) == 16 and "v" not in options:
            p.out("" if starred else "*\n")
            starred = True
            continue
        before, starred = line, False
        if canonical:
            cells = " ".join(f"{byte:02x}" for byte in line[:8]).ljust(23) + "  " + " ".join(f"{byte:02x}" for byte in line[8:]).ljust(23)
            p.out(f"{skip + at:08x}  {cells}  |{printable(line)}|\n")
        else:
            cells = "".join(f" {int.from_bytes(line[i : i + 2], 'little'):04x}" for i in range(0, len(line), 2))
            p.out(f"{skip + at:07x}{cells:<40}\n".replace("  \n", "\n") if False else f"{skip + at:07x}{cells}\n")
    if data:
        p.out(f"{skip + len(data):08x}\n" if canonical else f"{skip + len(data):07x}\n")
    return 0


async def strings(p: Process) -> int:
    args = [word if not (word[:1] == "-" and word[1:].isdigit()) else f"-n{word[1:]}" for word in p.args[1:]]
    options = parse(p, "an:t:e:fo", "bytes=:n all:a radix=:t", args=args)
    least = int(options.text("n", "4"))
    status = 0
    for name in options.operands or ["-"]:
        try:
            data = await whole(p, name)
        except OSError:
            p.stderr.write(f"strings: '{name}': No such file\n".encode())
            status = 1
            continue
        for found in re.finditer(rb"[\t\x20-\x7e]{%d,}" % least, data):
            p.stdout.write(found[0] + b"\n")
    return status


async def dd(p: Process) -> int:
    given: dict[str, str] = {}
    for word in p.args[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise refuse(p, f"unrecognized operand ‘{word}’")
        if name not in ("if", "of", "bs", "ibs", "obs", "cbs", "count", "skip", "seek", "conv", "status", "iflag", "oflag", "iseek", "oseek"):
            raise refuse(p, f"unrecognized operand ‘{word}’")
        given[name] = value
    block = number_of(given.get("bs") or given.get("ibs") or "512") or 512
    count = number_of(given["count"]) if "count" in given else None
    skip = number_of(given.get("skip", given.get("iseek", "0"))) * block
    most = min(skip + count * block if count is not None else 64 << 20, 64 << 20)
    source = given.get("if", "-")
    data = bytearray()
    try:
        async for piece in pieces(p, source):
            data += piece
            if len(data) >= most:
                break
    except OSError as error:
        complain(p, f"failed to open '{source}': {strerror(error)}")
        return 1
    made = bytes(data[skip:most])
    conv = given.get("conv", "").split(",")
    made = made.upper() if "ucase" in conv else made.lower() if "lcase" in conv else made
    target = given.get("of")
    if target is None:
        p.stdout.write(made)
    elif p.path(target) != "/dev/null":
        seek = number_of(given.get("seek", "0")) * (number_of(given.get("obs", "0")) or block)
        try:
            old = p.fs.read(p.path(target)) if (seek or "notrunc" in conv) and there(p, target) else b""
            kept = old[seek + len(made) :] if "notrunc" in conv else b""
            p.fs.write(p.path(target), old[:seek].ljust(seek, b"\0") + made + kept, mode=0o666 & ~p.umask)
        except OSError as error:
            complain(p, f"failed to open '{target}': {strerror(error)}")
            return 1
    if given.get("status") != "none":
        full, part = divmod(len(made), block)
        p.stderr.write(f"{full}+{int(part > 0)} records in\n{full}+{int(part > 0)} records out\n".encode())
        if given.get("status") != "noxfer":
            seconds = 0.0001 + len(made) / 4e8 * (0.5 + p.host.random("dd"))
            size = len(made)
            easy = f" ({size / 1000:.1f} kB, {size / 1024:.1f} KiB)" if size >= 1024 else ""
            p.stderr.write(f"{size} bytes{easy} copied, {seconds:.6g} s, {size / seconds / 1e6:.1f} MB/s\n".encode())
    return 0


def there(p: Process, name: str) -> bool:
    try:
        p.fs.stat(p.path(name))
    except OSError:
        return False
    return True


KINDS = ((modes.S_ISDIR, "directory"), (modes.S_ISLNK, "symbolic link"), (modes.S_ISCHR, "character special file"), (modes.S_ISBLK, "block special file"), (modes.S_ISFIFO, "fifo"), (modes.S_ISSOCK, "socket"))


def kind_of(mode: int, size: int) -> str:
    return next((name for test, name in KINDS if test(mode)), "regular file" if size else "regular empty file")


async def stat(p: Process) -> int:
    options = parse(p, "Lfc:t", "dereference:L file-system:f format=:c printf=:P terse:t cached=")
    if not options.operands:
        raise refuse(p, "missing operand")
    status = 0
    for name in options.operands:
        try:
            node = p.fs.stat(p.path(name), follow="L" in options)
        except OSError as error:
            complain(p, f"cannot statx {quoted(name)}: {strerror(error)}")
            status = 1
            continue
        owner, group = user_name(p.fs, node.uid), group_name(p.fs, node.gid)
        perm = f"{node.mode & 0o7777:04o}"
        blocks = blocks_of(node) * 2

        def moment(seconds: float) -> str:
            then = local(p, seconds)
            return then.strftime("%Y-%m-%d %H:%M:%S.") + f"{then.microsecond:06d}000" + then.strftime(" %z")

        if "c" in options or "P" in options:
            values = {
                "n": name, "N": f"{quoted(name)} -> {quoted(node.target)}" if node.target else quoted(name), "a": perm.lstrip("0") or "0",
                "A": modes.filemode(node.mode), "u": str(node.uid), "U": owner, "g": str(node.gid), "G": group, "s": str(node.size),
                "F": kind_of(node.mode, node.size), "i": str(node.inode), "h": str(node.links), "Y": str(int(node.mtime)), "y": moment(node.mtime),
                "X": str(int(node.mtime)), "x": moment(node.mtime), "Z": str(int(node.ctime)), "z": moment(node.ctime), "W": "0", "w": "-",
                "b": str(blocks), "B": "512", "o": "4096", "f": f"{node.mode:x}", "d": "2049", "D": "801", "m": "/", "t": "0", "T": "0", "%": "%",
            }  # fmt: skip
            form = options.text("c") if "c" in options else options.text("P").encode().decode("unicode_escape")
            p.out(re.sub(r"%[-0 #+]*\d*(.)", lambda found: values.get(found[1], "?"), form) + ("\n" if "c" in options else ""))
            continue
        size = 0 if modes.S_ISCHR(node.mode) else node.size
        device = f"     Device type: {device_numbers(name).replace(' ', '')}" if modes.S_ISCHR(node.mode) else ""
        link = f" -> {node.target}" if node.target and modes.S_ISLNK(node.mode) else ""
        p.out(
            f"  File: {name}{link}\n  Size: {size:<15}\tBlocks: {blocks:<10} IO Block: 4096   {kind_of(node.mode, node.size)}\n"
            f"Device: 8,1\tInode: {node.inode:<11} Links: {node.links}{device}\n"
            f"Access: ({perm}/{modes.filemode(node.mode)})  Uid: ({node.uid:5d}/{owner:>8})   Gid: ({node.gid:5d}/{group:>8})\n"
            f"Access: {moment(node.mtime)}\nModify: {moment(node.mtime)}\nChange: {moment(node.ctime)}\n Birth: {moment(node.ctime)}\n"
        )
    return status


async def file(p: Process) -> int:
    options = parse(p, "bf:hikLrszNv", "brief:b mime-type mime:i no-buffer dereference:L version:v")
    width = max((len(name) for name in options.operands), default=0)
    for name in options.operands:
        try:
            node = p.fs.stat(p.path(name), follow="L" in options)
            said = described(p, name, node.mode, node.size, node.target)
        except OSError as error:
            said = f"cannot open `{name}' ({strerror(error)})"
        p.out(said + "\n" if "b" in options else f"{name}:{' ' * (width - len(name) + 1)}{said}\n")
    return 0


def described(p: Process, name: str, mode: int, size: int, target: str | None) -> str:
    if modes.S_ISDIR(mode):
        return "sticky, directory" if mode & 0o1000 else "directory"
    if modes.S_ISLNK(mode):
        return f"symbolic link to {target}"
    if not modes.S_ISREG(mode):
        return f"{kind_of(mode, size).removesuffix(' file')} ({device_numbers(name).replace(', ', '/').replace(' ', '')})"
    data = p.fs.read(p.path(name))[:4096]
    if not data:
        return "empty"
    if data[:4] == b"\x7fELF":
        bits = "64-bit" if data[4] == 2 else "32-bit"
        order = "LSB" if data[5] == 1 else "MSB"
        machine = {62: "x86-64", 3: "Intel 80386", 40: "ARM", 183: "ARM aarch64", 8: "MIPS"}.get(int.from_bytes(data[18:20], "little" if data[5] == 1 else "big"), "unknown")
        return f"ELF {bits} {order} pie executable, {machine}, version 1 (SYSV), dynamically linked, interpreter /lib64/ld-linux-x86-64.so.2, for GNU/Linux 3.2.0, stripped"
    if data[:2] == b"#!":
        program = data[2:].split(b"\n")[0].strip().decode("latin1")
        shell = {"/bin/sh": "POSIX shell script", "/bin/bash": "Bourne-Again shell script"}.get(program.split(" ")[0], f"a {program} script")
        return f"{shell}, ASCII text executable"
    if data[:2] == b"\x1f\x8b":
        return "gzip compressed data"
    if data[:4] == b"PK\x03\x04":
        return "Zip archive data, at least v2.0 to extract"
    try:
        data.decode("ascii")
        return "ASCII text" + (", with no line terminators" if b"\n" not in data else "") if b"\0" not in data else "data"
    except UnicodeDecodeError:
        pass
    try:
        data.decode("utf-8")
        return "Unicode text, UTF-8 text"
    except UnicodeDecodeError:
        return "data"


async def du(p: Process) -> int:
    options = parse(p, "0abB:cDd:hHkLlmPsStX:x", "all:a apparent-size bytes:b total:c max-depth=:d human-readable:h summarize:s exclude= one-file-system:x block-size=:B")
    most = 0 if "s" in options else int(options.text("d", "9999"))
    total = status = 0

    def told(kb: float, name: str) -> None:
        text = human(kb * 1024) if "h" in options else str(int(kb * 1024)) if "b" in options else str(-(-int(kb) // (1024 if "m" in options else 1)))
        p.out(f"{text}\t{name}\n")

    def size_of(node: object) -> float:
        return node.size / 1024 if "b" in options or "apparent-size" in options else blocks_of(node)  # type: ignore[attr-defined, arg-type]

    def walk(name: str, depth: int) -> float:
        nonlocal status
        node = p.fs.stat(p.path(name), follow=False)
        kb = size_of(node)
        if not modes.S_ISDIR(node.mode):
            if depth == 0 or "a" in options and depth <= most:
                told(kb, name)
            return kb
        try:
            for child in p.fs.listdir(p.path(name)):
                if child not in (".", ".."):
                    kb += walk(f"{name.rstrip('/')}/{child}", depth + 1)
        except OSError as error:
            complain(p, f"cannot read directory {quoted(name)}: {strerror(error)}")
            status = 1
        if depth <= most:
            told(kb, name)
        return kb

    for name in options.operands or ["."]:
        try:
            total += walk(name, 0)
        except OSError as error:
            complain(p, f"cannot access {quoted(name)}: {strerror(error)}")
            status = 1
    if "c" in options:
        told(total, "total")
    return status


COMMANDS = {
    **{"od": od, "xxd": xxd, "hexdump": hexdump, "hd": hexdump, "strings": strings, "dd": dd, "stat": stat, "file": file},
    "du": du,
}
__all__ = ["COMMANDS", "Options"]
