"""Bytes made visible: od xxd hexdump strings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .inputs import Inputs, pieces, whole
from .options import Usage, complain, parse
from .wording import if_needed, strerror

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
    included = bits = False
    names: list[str] = []
    while args:
        word = args.pop(0)
        flag = word[1:2] if word.startswith("-") and len(word) > 1 else ""
        if word in ("-v", "--version", "-version"):
            raise Usage("xxd 2022-01-14 by Juergen Weigert et al.\n", 0)
        if flag in ("c", "l", "s", "g"):
            value = number_of(word[2:] or (args.pop(0) if args else "0"))
            columns, limit, skip, group = (value if flag == "c" else columns, value if flag == "l" else limit, value if flag == "s" else skip, value if flag == "g" else group)
        elif flag:
            plain, back, upper = plain or "p" in word, back or "r" in word, upper or "u" in word
            included, bits = included or "i" in word, bits or "b" in word
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
    if included:
        p.out(as_array(data, "" if name == "-" else name, columns or 12))
        return 0
    if bits:
        show_bits(p, data, columns or 6, skip)
        return 0
    width = columns or 16
    for at in range(0, len(data), width):
        line = data[at : at + width]
        text = line.hex()
        cells = " ".join(text[i : i + group * 2] for i in range(0, len(text), group * 2))
        pad = width * 2 + (width - 1) // group
        p.out(f"{skip + at:08x}: {cells.upper() if upper else cells:<{pad}}  {printable(line)}\n")
    return 0


def as_array(data: bytes, name: str, width: int) -> str:
    """Of `xxd -i`: the bytes as C has them, and as a variable where they have a name."""
    rows = [", ".join(f"0x{byte:02x}" for byte in data[at : at + width]) for at in range(0, len(data), width)]
    body = "  " + ",\n  ".join(rows) + "\n" if rows else ""
    if not name:
        return body
    variable = re.sub(r"[^A-Za-z0-9]", "_", name)
    variable = f"__{variable}" if variable[:1].isdigit() else variable
    return f"unsigned char {variable}[] = {{\n{body}}};\nunsigned int {variable}_len = {len(data)};\n"


def show_bits(p: Process, data: bytes, width: int, skip: int) -> None:
    for at in range(0, len(data), width):
        line = data[at : at + width]
        p.out(f"{skip + at:08x}: {' '.join(f'{byte:08b}' for byte in line):<{width * 9 - 1}}  {printable(line)}\n")


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


COMMANDS = {"od": od, "xxd": xxd, "hexdump": hexdump, "hd": hexdump, "strings": strings}
