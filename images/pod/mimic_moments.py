"""
When something came, and when something leaves, to some microseconds: the pauses of real programs are often shorter than this
interpreter takes to be woken. The kernel says when a packet came; the last of a short wait is spent awake; who has to go on at
once waits by himself for what comes. Each is bounded to a millisecond or two, so nobody else in the loop waits longer.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections.abc import Callable, Generator

import mimic_loop as loop

AWAKE = 0.001
# Of a pause this long a tenth of a millisecond is nothing.
BRIEF = 0.02
# Who goes on sooner than this does not have the time to be woken.
AT_ONCE = 0.0006
EAGER = 0.002
# <asm-generic/socket.h>: a `struct timespec` comes with what is received, by the clock of the wall.
SO_TIMESTAMPNS = 35
ROOM = socket.CMSG_SPACE(struct.calcsize("@ll"))
OLDEST = 0.05


def told(of: socket.socket) -> None:
    """From now on the kernel says when something came."""
    of.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def until(moment: float) -> Generator[loop.Wait, bool, None]:
    left = moment - time.monotonic()
    if left > AWAKE:
        yield from loop.sleep(left if left > BRIEF else left - AWAKE)
    while time.monotonic() < moment:
        pass


def received(
    of: socket.socket, most: int, seconds: float, eager: bool = False
) -> Generator[loop.Wait, bool, tuple[bytes, float]]:
    """What has come, at most so many bytes, nothing at the end; and when it came. `eager`: somebody goes on at once then."""
    # Not by looking again and again: on a small machine the answer needs this very processor.
    is_there = eager and select.select((of,), (), (), EAGER)[0]
    if not is_there and not (yield of, loop.READ, seconds):
        raise TimeoutError("no answer")
    data, notes, _, _ = of.recvmsg(most, ROOM)
    return data, time.monotonic() - age(notes)


def age(notes: list[tuple[int, int, bytes]]) -> float:
    for level, kind, raw in notes:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(raw) >= struct.calcsize("@ll"):
            seconds, nanoseconds = struct.unpack_from("@ll", raw)
            since = (time.time_ns() - seconds * 1_000_000_000 - nanoseconds) / 1e9
            # The wall's clock may have been set meanwhile.
            return since if 0 <= since <= OLDEST else 0.0
    return 0.0


def said(to: socket.socket, text: bytes, moment: float, seconds: float) -> Generator[loop.Wait, bool, float]:
    """Sends at that moment; gives when it was."""
    yield from until(moment)
    begun = time.monotonic()
    try:
        count = to.send(text)
    except BlockingIOError:
        count = 0
    if count < len(text):
        yield from loop.sent(to, text[count:], seconds)
    return begun


def opened(
    place: tuple[str, int], text: bytes, pause: float, seconds: float, leaves: Callable[[socket.socket], None]
) -> Generator[loop.Wait, bool, tuple[socket.socket, float, float]]:
    """
    A connection on which this was said so long after its first packet, both moments with it; or OSError. `leaves`
    gives it the port that it leaves from.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        told(made)
        leaves(made)
        now, connect, send = time.monotonic, made.connect_ex, made.send
        begun = now()
        moment = begun + pause
        error = connect(place)
        if pause < AWAKE and error == errno.EINPROGRESS:
            # Not one step more than there has to be: real programs are as fast. A near place has often answered by now.
            while now() < moment:
                pass
            text = text[sent_now(send, text) :]
            if text and select.select((), (made,), (), AWAKE)[1]:
                text = text[sent_now(send, text) :]
        elif error not in (0, errno.EINPROGRESS):
            raise OSError(error, "not connected")
        moment = max(moment, now())
        if text:
            moment = yield from said(made, text, moment, seconds)
        return made, begun, moment
    except BaseException:
        made.close()
        raise


def sent_now(send: Callable[[bytes], int], text: bytes) -> int:
    """How many bytes could leave: none as long as nobody has taken the connection."""
    try:
        return send(text)
    except BlockingIOError:
        return 0


def round_trip_ms(of: socket.socket) -> float:
    """By the kernel's estimate, from the first packet on (`tcpi_rtt` of <linux/tcp.h>, microseconds)."""
    (microseconds,) = struct.unpack_from("=I", of.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 68)
    return microseconds / 1000
