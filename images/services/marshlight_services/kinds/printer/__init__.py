"""A printer's raw port: answers PJL, takes print jobs and keeps them as captured files."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from marshlight_common.control_files import replace

from ... import places
from ...connection import Ended

if TYPE_CHECKING:
    from ...connection import Connection

ESCAPE = b"\x1b%-12345X"
LARGEST_JOB = 1 << 20
KEPT_JOBS = 64


async def talk(connection: Connection) -> None:
    connection.patience = 90.0
    job = b""
    try:
        while True:
            data = await connection.some()
            for piece in data.split(b"\n"):
                line = piece.removeprefix(ESCAPE).strip()
                if line.upper().startswith(b"@PJL"):
                    connection.session.command(line)
                    connection.send(answer(connection, line.upper()[4:].strip()))
                elif line:
                    job += piece + b"\n"
            if len(job) > LARGEST_JOB:
                break
    except Ended:
        pass
    if len(job) > 16:
        keep(connection, job[:LARGEST_JOB])


def answer(connection: Connection, command: bytes) -> bytes:
    service = connection.service
    model = service.text("model", service.named())
    display = service.text("display", "Ready")
    told = {
        b"INFO ID": f'"{model}"\r\n',
        b"INFO STATUS": f'CODE=10001\r\nDISPLAY="{display}"\r\nONLINE=TRUE\r\n',
        b"INFO CONFIG": "IN TRAYS [1 ENUMERATED]\r\n\tINTRAY1 MP\r\nMEMORY=268435456\r\nDISPLAY LINES=2\r\n",
        b"INFO PAGECOUNT": f"PAGECOUNT={pages_of(connection)}\r\n",
        b"INFO FILESYS": "VOLUME TOTAL SIZE FREE SPACE LOCATION LABEL STATUS\r\n0:     1755136    1718272    <HT>     <HT> READ-WRITE\r\n",
    }
    for name, text in told.items():
        if command == name:
            return b"@PJL " + name + b"\r\n" + text.encode("latin-1", "replace") + b"\x0c"
    if command.startswith(b"ECHO"):
        return b"@PJL " + command + b"\r\n\x0c"
    if command.startswith((b"FSDIRLIST", b"FSQUERY", b"FSUPLOAD")):
        return b"@PJL " + command.split(b" ")[0] + b" " + command[10:200] + b"\r\nFILEERROR=3\r\n\x0c"
    return b""


def pages_of(connection: Connection) -> int:
    return 1000 + int.from_bytes(hashlib.sha256(connection.persona.seed.encode()).digest()[:2], "big")


def keep(connection: Connection, job: bytes) -> None:
    """As a captured file, named by its digest; the agent fetches it."""
    digest = hashlib.sha256(job).hexdigest()
    if sum(1 for _ in os.scandir(places.FILES)) < KEPT_JOBS:
        replace(places.FILES / digest, job)
    connection.session.tell("file.upload", shasum=digest, size=len(job))
