"""What `anonymous` finds after its log-in: an empty folder that cannot be written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...connection import Connection

SIMPLE = {
    **{"PWD": '257 "/" is the current directory', "XPWD": '257 "/" is the current directory', "NOOP": "200 NOOP ok."},
    **{"SYST": "215 UNIX Type: L8", "TYPE": "200 Switching to Binary mode.", "MODE": "200 Mode set to S."},
    **{"STRU": "200 Structure set to F.", "CDUP": "250 Directory successfully changed.", "OPTS": "200 Always in UTF8 mode."},
    **{"STOR": "550 Permission denied.", "STOU": "550 Permission denied.", "APPE": "550 Permission denied."},
    **{"DELE": "550 Permission denied.", "MKD": "550 Permission denied.", "RMD": "550 Permission denied."},
    **{"RNFR": "550 Permission denied.", "RNTO": "503 RNFR required first.", "SITE": "550 Permission denied."},
    **{"RETR": "550 Failed to open file.", "SIZE": "550 Could not get file size.", "MDTM": "550 Could not get file modification time."},
    # A connection outward is what no decoy opens.
    **{"PORT": "500 Illegal PORT command.", "EPRT": "500 Illegal EPRT command."},
}
DATA_PATIENCE = 30.0


async def visit(connection: Connection, bye: str) -> None:
    say(connection, "230 Login successful.")
    data: Data | None = None
    try:
        while True:
            line = await connection.line(4096)
            verb, _, rest = line.decode("latin-1").partition(" ")
            verb = verb.upper()
            connection.session.command(line)
            if verb == "QUIT":
                return say(connection, bye)
            if verb in ("PASV", "EPSV"):
                if data is not None:
                    data.close()
                data = await Data.open(connection)
                say(connection, data.words(connection, verb))
            elif verb in ("LIST", "NLST", "MLSD"):
                if data is None:
                    say(connection, "425 Use PORT or PASV first.")
                    continue
                say(connection, "150 Here comes the directory listing.")
                await connection.flush()
                done = await data.give_nothing()
                data = None
                say(connection, "226 Directory send OK." if done else "426 Failure writing network stream.")
            elif verb == "CWD":
                there = rest.strip("/. ") == ""
                say(connection, "250 Directory successfully changed." if there else "550 Failed to change directory.")
            else:
                say(connection, SIMPLE.get(verb, "500 Unknown command."))
    finally:
        if data is not None:
            data.close()


class Data:
    """One data connection that a client may open."""

    def __init__(self) -> None:
        self.came: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
        self.server: asyncio.Server

    @classmethod
    async def open(cls, connection: Connection) -> Data:
        data = cls()
        own, other = connection.session.target[0], connection.session.source[0]

        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if writer.get_extra_info("peername")[0] == other and not data.came.done():
                data.came.set_result(writer)
            else:
                writer.close()

        data.server = await asyncio.start_server(accept, own, 0, backlog=1)
        return data

    def words(self, connection: Connection, verb: str) -> str:
        port = self.server.sockets[0].getsockname()[1]
        if verb == "EPSV":
            return f"229 Entering Extended Passive Mode (|||{port}|)"
        address = connection.session.target[0].replace(".", ",")
        return f"227 Entering Passive Mode ({address},{port >> 8},{port & 255})."

    async def give_nothing(self) -> bool:
        try:
            (await asyncio.wait_for(asyncio.shield(self.came), DATA_PATIENCE)).close()
        except asyncio.TimeoutError:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        self.server.close()
        if self.came.done() and not self.came.cancelled():
            self.came.result().close()
        else:
            self.came.cancel()


def say(connection: Connection, text: str) -> None:
    connection.send(text.encode("latin-1", "replace") + b"\r\n")
