"""The web server behind TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...certificate import stored, tls_context
from ...web_words import words_of
from .. import http

if TYPE_CHECKING:
    from ...connection import Connection

prepare = stored
HANDSHAKE = 0x16


async def talk(connection: Connection) -> None:
    first = (await connection.peek(1))[0]
    if first != HANDSHAKE and 0x41 <= first <= 0x5A:
        # Plain HTTP on the port of HTTPS: servers say so in plain words.
        connection.session.odd(await connection.line())
        words = words_of(connection.service)
        http.refuse(connection, words, 400, "/", True)
        return
    await connection.start_tls(tls_context(connection.persona, connection.service))
    await http.talk(connection)
