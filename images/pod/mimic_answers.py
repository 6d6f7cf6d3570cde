"""The other side of a conversation between two hosts that mimic."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Generator

import mimic_loop as loop
import mimic_peers
import mimic_ssh
from mimic_account import Bounded

SECONDS = 10.0


def answering(
    connection: socket.socket, context: ssl.SSLContext, spend: Callable[[int], None]
) -> Generator[loop.Wait, bool, None]:
    with connection:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        side: mimic_peers.Answering | mimic_ssh.Answering | None = None
        try:
            while True:
                piece = yield from loop.received(connection, 65_536, 150.0)
                if not piece:
                    return
                spend(len(piece))
                side = side or (mimic_ssh.Answering() if piece[:4] == b"SSH-" else mimic_peers.Answering(context))
                for text in side.take(piece):
                    spend(len(text))
                    yield from loop.sent(connection, text, SECONDS)
        except (OSError, ValueError, Bounded):
            return
