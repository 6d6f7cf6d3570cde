"""One conversation of a slice, by the role of the place that it goes to. What was really had is noted as it comes."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable, Generator

import mimic_loop as loop
import mimic_moments as moments
import mimic_names
import mimic_peers
import mimic_ports
import mimic_ssh
import mimic_together
import mimic_updates

SECONDS = 10.0
# From where NTP counts to where systems do.
SINCE_1900 = 2_208_988_800
Exchange = tuple[int, int, float]


class Talk:
    """
    One conversation: `made` holds [request, response, pause in ms] of each exchange that took place. `before` is told the bytes
    that are about to leave or have come, and throws where a bound is reached.
    """

    def __init__(
        self, asked: dict, target: dict, before: Callable[[int], None], archive, agent: str, instances: int = 1
    ) -> None:
        self.target, self.before, self.archive, self.agent = target, before, archive, agent
        self.instance, self.instances = int(asked["instance"]), instances
        self.kind = str(asked["kind"])
        self.exchanges: list[Exchange] = [(int(a), int(b), float(c)) for a, b, c in asked["exchanges"]]
        self.chance = random.Random(f"{asked['id']} {asked['at']}")
        self.place = (target["ip"], target["port"])
        self.made: list[Exchange] = []
        self.bytes = 0
        self.begun = time.monotonic()
        self.connect_ms: float | None = None
        # Of answers that came in several pieces: bytes after the first piece, and how long they took.
        self.moved_bytes, self.moved_ms = 0, 0.0

    def work(self) -> Generator[loop.Wait, bool, None]:
        role, proto = self.target["role"], self.target["proto"]
        if role == "resolver" and proto == "udp":
            return self._names()
        if role == "clock" and proto == "udp":
            return self._clock()
        if role == "updates" and proto == "tcp":
            return self._updates()
        if role == "peer" and proto == "tcp":
            return self._peer()
        if role == "service" and proto == "tcp":
            return self._service()
        raise ValueError(f"no conversation with {role} over {proto}")

    def _spend(self, count: int) -> None:
        self.bytes += count
        self.before(count)

    def _leave(self, made: socket.socket) -> None:
        mimic_ports.leave_from(made, self.instance, self.instances)

    def _note(self, request: int, response: int, since: float, begun: float) -> None:
        """The pause is that since the last answer, or since the connection began."""
        self.made.append((request, response, round((begun - since) * 1000, 3)))

    def _moved(self, count: int, seconds: float) -> None:
        if count > 0 and seconds > 0:
            self.moved_bytes, self.moved_ms = self.moved_bytes + count, self.moved_ms + seconds * 1000

    def _open(self, text: bytes) -> Generator[loop.Wait, bool, tuple[socket.socket, float]]:
        """A connection on which the first request was made, and when."""
        self._spend(len(text))
        pause = self.exchanges[0][2] / 1000
        connection, self.begun, begun = yield from moments.opened(self.place, text, pause, SECONDS, self._leave)
        self.connect_ms = moments.round_trip_ms(connection)
        return connection, begun

    def _names(self) -> Generator[loop.Wait, bool, None]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            moments.told(out)
            self._leave(out)
            out.connect(self.place)
            # All are made before the first leaves: what it takes to make them would lengthen pauses.
            queries, place, last = self._queries(), 0, time.monotonic()
            while place < len(queries):
                both = queries[place : place + (2 if self._is_pair(place) else 1)]
                self._spend(sum(map(len, both)))
                yield from moments.until(last + self.exchanges[place][2] / 1000)
                begun = time.monotonic()
                mimic_together.send(out, both)
                answered, came = yield from self._answers(out, both)
                self.connect_ms = self.connect_ms or round((came - begun) * 1000, 3)
                # The first answer counts as that of the first, as whoever looks on sees it.
                # The other one had no pause: it left with it.
                for query, size, since in zip(both, answered, (last, begun), strict=False):
                    self._note(len(query), size, since, begun)
                last, place = came, place + len(both)

    def _clock(self) -> Generator[loop.Wait, bool, None]:
        """As systemd-timesyncd asks: a client's packet of version 4 with nothing in it but the time (RFC 5905, 7.3)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            moments.told(out)
            self._leave(out)
            out.connect(self.place)
            last = time.monotonic()
            for _, _, pause in self.exchanges:
                yield from moments.until(last + pause / 1000)
                begun, now = time.monotonic(), time.time()
                query = b"\x23" + bytes(39) + struct.pack("!II", int(now) + SINCE_1900, int(now % 1 * (1 << 32)))
                self._spend(len(query))
                out.send(query)
                answer, came = yield from moments.received(out, 512, 5.0)
                self._spend(len(answer))
                self._note(len(query), len(answer), last, begun)
                self.connect_ms = self.connect_ms or round((came - begun) * 1000, 3)
                last = came

    def _queries(self) -> list[bytes]:
        names = self.target["names"]
        queries: list[bytes] = []
        before = None
        for place, (size, _, _) in enumerate(self.exchanges):
            name, query = mimic_names.lookup(size, names, self.chance, before)
            queries.append(query)
            before = name if before is None and self._is_pair(place) and not name.endswith(".arpa") else None
        return queries

    def _is_pair(self, place: int) -> bool:
        """Both addresses of a name: asked for one with the other, whether or not an answer came between."""
        return place + 1 < len(self.exchanges) and self.exchanges[place + 1][2] / 1000 < moments.AT_ONCE

    def _answers(self, out: socket.socket, waited: list[bytes]) -> Generator[loop.Wait, bool, tuple[list[int], float]]:
        sizes, came = [], 0.0
        for _ in waited:
            answer, came = yield from moments.received(out, 4096, 5.0)
            self._spend(len(answer))
            sizes.append(len(answer) if mimic_names.answers_to(waited, answer) else 0)
        return sizes, came

    def _updates(self) -> Generator[loop.Wait, bool, None]:
        made = self._request(self.target["names"] or [self.target["ip"]], 0)
        connection, begun = yield from self._open(made.text)
        with connection:
            last = self.begun
            for place in range(len(self.exchanges)):
                if place > 0:
                    self._spend(len(made.text))
                    begun = yield from moments.said(connection, made.text, last + self.exchanges[place][2] / 1000, SECONDS)
                asked = made
                if place + 1 < len(self.exchanges):
                    # While the answer is on its way, so that it is no part of the pause.
                    made = self._request([asked.host], place + 1)
                answer = yield from mimic_updates.fetched(
                    connection, self.archive, asked.method, asked.path, self._spend
                )
                self._note(len(asked.text), answer.bytes, last, begun)
                self._moved(answer.bytes - answer.first, answer.came - answer.began)
                last = answer.came

    def _request(self, hosts: list[str], place: int) -> mimic_updates.Request:
        size, response, _ = self.exchanges[place]
        return mimic_updates.request_of(self.archive, hosts, self.agent, size, response, self.chance)

    def _peer(self) -> Generator[loop.Wait, bool, None]:
        """A handshake stands for the first exchanges; the others are within it, each made while the one before is answered."""
        side = mimic_ssh.Asking() if self.kind == "ssh" else mimic_peers.Asking(self.kind)
        pauses = [pause / 1000 for _, _, pause in self.exchanges]
        rest = self.exchanges[side.steps :] or self.exchanges[-1:]
        text = side.step()
        connection, begun = yield from self._open(text)
        with connection:
            before = last = self.begun
            for place in range(side.steps):
                if place > 0:
                    text = side.step()
                    self._spend(len(text))
                    pause = pauses[min(place, len(pauses) - 1)]
                    begun = yield from moments.said(connection, text, last + pause, SECONDS)
                answered, is_whole = 0, False
                while not is_whole:
                    piece, last = yield from self._hear(connection, 65_536, False)
                    answered += len(piece)
                    is_whole = side.take(piece)
                self._note(len(text), answered, before, begun)
                before = last
            text = side.message(*rest[0][:2])
            for place, (_, response, pause) in enumerate(rest):
                self._spend(len(text))
                begun = yield from moments.said(connection, text, last + pause / 1000, SECONDS)
                size, before = len(text), last
                after = rest[place + 1] if place + 1 < len(rest) else None
                text = side.message(*after[:2]) if after else b""
                # What is in it is nobody's concern: it is counted, not read.
                left = expected = side.expected(response)
                is_eager = after is not None and after[2] / 1000 < moments.AT_ONCE
                first, began = 0, 0.0
                while left > 0:
                    piece, last = yield from self._hear(connection, min(left, 65_536), is_eager)
                    if first == 0:
                        first, began = len(piece), last
                    left -= len(piece)
                self._note(size, expected, before, begun)
                self._moved(expected - first, last - began)

    def _hear(self, connection: socket.socket, most: int, eager: bool) -> Generator[loop.Wait, bool, tuple[bytes, float]]:
        piece, came = yield from moments.received(connection, most, SECONDS, eager)
        if not piece:
            raise OSError("it ended early")
        self._spend(len(piece))
        return piece, came

    def _service(self) -> Generator[loop.Wait, bool, None]:
        """Looks whether it is there, as monitoring does: what it says first is read, and it is left."""
        connection, _ = yield from self._open(b"")
        with connection:
            try:
                said = yield from loop.received(connection, 4096, 2.0)
            except TimeoutError:
                said = b""
            self._spend(len(said))
            self._note(0, len(said), self.begun, time.monotonic())
