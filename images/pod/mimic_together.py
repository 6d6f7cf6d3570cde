"""
Two lookups of a name leave as the C library sends them: by one call, so that what lies between them is the kernel's time and no
interpreter's (sendmmsg, Linux 3.0).
"""

from __future__ import annotations

import ctypes
import socket


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Head(ctypes.Structure):
    """`struct msghdr`: of a connected socket neither a name nor anything beside the text."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("pieces", ctypes.POINTER(Piece)),
        ("count", ctypes.c_size_t),
        ("beside", ctypes.c_void_p),
        ("beside_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class Message(ctypes.Structure):
    _fields_ = [("head", Head), ("sent", ctypes.c_uint)]


SEND = ctypes.CDLL(None, use_errno=True).sendmmsg


def send(of: socket.socket, texts: list[bytes]) -> None:
    """OSError where none could be sent; those that the kernel did not take at once are sent one by one."""
    pieces = [Piece(text, len(text)) for text in texts]
    messages = (Message * len(texts))(*[Message(Head(None, 0, ctypes.pointer(piece), 1)) for piece in pieces])
    count = SEND(of.fileno(), messages, len(texts), 0)
    if count < 0:
        raise OSError(ctypes.get_errno(), "not sent")
    for text in texts[count:]:
        of.send(text)
