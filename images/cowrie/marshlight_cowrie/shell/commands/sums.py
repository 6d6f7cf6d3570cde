"""Digests and encodings: md5sum sha1sum sha224sum sha256sum sha512sum cksum sum base64 base32."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .inputs import bare, whole
from .options import complain, parse, refuse
from .wording import if_needed, strerror, trouble

if TYPE_CHECKING:
    from ..ports import Process


def digest(algorithm: str) -> Callable[[Process], Awaitable[int]]:
    tag = algorithm.upper()

    async def sum_(p: Process) -> int:
        options = parse(
            p,
            "bctwz",
            "binary:b check:c tag text:t zero:z ignore-missing quiet status strict warn:w help version",
        )
        status = 0
        for name in options.operands or ["-"]:
            try:
                data = await whole(p, name)
            except OSError as error:
                trouble(p, name, error)
                status = 1
                continue
            if "c" in options:
                status |= await checked(p, name, data, "quiet" in options, "status" in options)
                continue
            value = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
            mark = "*" if "b" in options else " "
            p.out(f"{tag} ({name}) = {value}\n" if "tag" in options else f"{value} {mark}{name}\n")
        return status

    async def checked(p: Process, list_name: str, data: bytes, quiet: bool, silent: bool) -> int:
        wrong = missing = good = 0
        for line in bare(data):
            found = re.fullmatch(r"([0-9a-fA-F]+) [ *](.+)", line.decode("utf-8", "surrogateescape"))
            if not found:
                continue
            try:
                value = hashlib.new(algorithm, await whole(p, found[2]), usedforsecurity=False).hexdigest()
            except OSError as error:
                complain(p, f"{if_needed(found[2])}: {strerror(error)}")
                p.out(f"{found[2]}: FAILED open or read\n")
                missing += 1
                continue
            same = value == found[1].lower()
            good, wrong = good + same, wrong + (not same)
            if not silent and not (same and quiet):
                p.out(f"{found[2]}: {'OK' if same else 'FAILED'}\n")
        if not good + wrong + missing:
            complain(p, f"{list_name}: no properly formatted checksum lines found")
            return 1
        if missing:
            complain(p, f"WARNING: {missing} listed file{'s' if missing > 1 else ''} could not be read")
        if wrong and not silent:
            complain(p, f"WARNING: {wrong} computed checksum{'s' if wrong > 1 else ''} did NOT match")
        return 1 if wrong or missing else 0

    return sum_


def encoding(encode: Callable[[bytes], bytes], decode: Callable[[bytes], bytes], alphabet: bytes) -> Callable[[Process], Awaitable[int]]:
    async def coded(p: Process) -> int:
        options = parse(p, "diw:", "decode:d ignore-garbage:i wrap=:w help version")
        if len(options.operands) > 1:
            raise refuse(p, f"extra operand ‘{options.operands[1]}’")
        name = (options.operands or ["-"])[0]
        try:
            data = await whole(p, name)
        except OSError as error:
            trouble(p, name, error)
            return 1
        if "d" not in options:
            width = options.text("w", "76")
            if not width.isdigit():
                raise refuse(p, f"invalid wrap size: ‘{width}’", hint=False)
            text, step = encode(data), int(width)
            if step:
                p.stdout.write(b"".join(text[at : at + step] + b"\n" for at in range(0, len(text), step)))
            else:
                p.stdout.write(text)
            return 0
        text = re.sub(rb"[^%s=]" % alphabet if "i" in options else rb"\n", b"", data)
        good = re.match(rb"[%s]*={0,6}" % alphabet, text)
        part = good[0] if good else b""
        unit = 4 if alphabet.startswith(b"A-Za") else 8
        made, left = b"", part
        while left:
            piece = left[: len(left) - len(left) % unit] or left
            try:
                made += decode(piece)
            except (binascii.Error, ValueError):
                made += salvage(piece, decode, unit)
                part = b""
                break
            left = left[len(piece) :]
        p.stdout.write(made)
        if part != text or len(text) % unit:
            complain(p, "invalid input")
            return 1
        return 0

    def salvage(piece: bytes, decode: Callable[[bytes], bytes], unit: int) -> bytes:
        """What can be read of a last group that is cut short."""
        for fill in range(unit):
            try:
                return decode(piece + b"=" * fill)
            except (binascii.Error, ValueError):
                continue
        return b""

    return coded


async def cksum(p: Process) -> int:
    options = parse(p, "a:", "algorithm=:a")
    status = 0
    for name in options.operands or ["-"]:
        try:
            data = await whole(p, name)
        except OSError as error:
            trouble(p, name, error)
            status = 1
            continue
        length, tail = len(data), b""
        while length:
            tail, length = tail + bytes([length & 255]), length >> 8
        crc = 0
        for byte in data + tail:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else crc << 1
        p.out(f"{crc ^ 0xFFFFFFFF} {len(data)}" + (f" {name}" if options.operands else "") + "\n")
    return status


COMMANDS = {
    **{f"{name}sum": digest(name) for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")},
    "base64": encoding(base64.b64encode, base64.b64decode, rb"A-Za-z0-9+/"),
    "base32": encoding(base64.b32encode, base64.b32decode, rb"A-Z2-7"),
    "cksum": cksum,
}
