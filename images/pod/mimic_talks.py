"""One conversation of a slice, by the role of the place that it goes to. What was really had is noted as it comes."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Generator

import mimic_loop as loop
import mimic_names
import mimic_peers
import mimic_ports
import mimic_updates
from mimic_account import Bounded

SECONDS = 10.0
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
        self.exchanges: list[Exchange] = [(int(a), int(b), float(c)) for a, b, c in asked["exchanges"]]
        self.chance = random.Random(f"{asked['id']} {asked['at']}")
        self.place = (target["ip"], target["port"])
        self.made: list[Exchange] = []
        self.bytes = 0
        self.begun = time.monotonic()
        self.connect_ms: float | None = None

    def work(self) -> Generator[loop.Wait, bool, None]:
        role, proto = self.target["role"], self.target["proto"]
        if role == "resolver" and proto == "udp":
            return self._names()
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

    def _pause(self, since: float, pause: float) -> Generator[loop.Wait, bool, None]:
        left = since + pause / 1000 - time.monotonic()
        if left > 0:
            yield from loop.sleep(left)

    def _open(self) -> Generator[loop.Wait, bool, socket.socket]:
        self.begun = begun = time.monotonic()
        connection = yield from loop.connected(self.place, SECONDS, self._leave)
        self.connect_ms = round((time.monotonic() - begun) * 1000, 3)
        return connection

    def _names(self) -> Generator[loop.Wait, bool, None]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            self._leave(out)
            out.connect(self.place)
            last, before, waited = time.monotonic(), None, []
            for place, (size, response, pause) in enumerate(self.exchanges):
                # Made before the pause: what it takes to make it would lengthen that.
                names = self.target["names"] or ["deb.debian.org"]
                name, query = mimic_names.lookup(size, names, self.chance, before)
                yield from self._pause(last, pause)
                begun, answered = time.monotonic(), 0
                self._spend(len(query))
                out.send(query)
                waited.append(query)
                # In the sample this one was not waited for: the next follows at once.
                at_once = response == 0 and place + 1 < len(self.exchanges)
                before = name if at_once and before is None and not name.endswith(".arpa") else None
                if not at_once:
                    answered = yield from self._answers(out, waited)
                    self.connect_ms = self.connect_ms or round((time.monotonic() - begun) * 1000, 3)
                    waited = []
                self._note(len(query), answered, last, begun)
                last = time.monotonic()

    def _answers(self, out: socket.socket, waited: list[bytes]) -> Generator[loop.Wait, bool, int]:
        total = 0
        for _ in waited:
            answer = yield from loop.received(out, 4096, 5.0)
            self._spend(len(answer))
            total += len(answer) if mimic_names.answers_to(waited, answer) else 0
        return total

    def _updates(self) -> Generator[loop.Wait, bool, None]:
        hosts = self.target["names"] or [self.target["ip"]]
        made = self._request(hosts, 0)
        with (yield from self._open()) as connection:
            last = self.begun
            for place, (_, _, pause) in enumerate(self.exchanges):
                host, method, path, text = made or self._request(hosts, place)
                hosts, made = [host], None
                yield from self._pause(last, pause)
                begun = time.monotonic()
                self._spend(len(text))
                yield from loop.sent(connection, text, SECONDS)
                answered = yield from mimic_updates.fetched(connection, self.archive, method, path, self._spend)
                self._note(len(text), answered, last, begun)
                last = time.monotonic()

    def _request(self, hosts: list[str], place: int) -> tuple[str, str, str, bytes]:
        """To the host whose name makes it as long as it shall be; of several such to any."""
        size, response, _ = self.exchanges[place]
        built = [
            (host, *mimic_updates.request_of(self.archive, host, self.agent, size, response, self.chance))
            for host in hosts
        ]
        best = min(abs(len(one[3]) - size) for one in built)
        return self.chance.choice([one for one in built if abs(len(one[3]) - size) <= best + 2])

    def _peer(self) -> Generator[loop.Wait, bool, None]:
        with (yield from self._open()) as connection:
            last = self.begun
            for size, response, pause in self.exchanges:
                text = mimic_peers.request(size, response)
                expected = len(mimic_peers.response(min(response, mimic_peers.LONGEST)))
                yield from self._pause(last, pause)
                begun = time.monotonic()
                self._spend(len(text))
                yield from loop.sent(connection, text, SECONDS)
                left = expected
                while left > 0:
                    piece = yield from loop.received(connection, min(left, 65_536), SECONDS)
                    if not piece:
                        raise OSError("it ended early")
                    self._spend(len(piece))
                    left -= len(piece)
                self._note(len(text), expected, last, begun)
                last = time.monotonic()

    def _service(self) -> Generator[loop.Wait, bool, None]:
        """Looks whether it is there, as monitoring does: what it says first is read, and it is left."""
        with (yield from self._open()) as connection:
            try:
                said = yield from loop.received(connection, 4096, 2.0)
            except TimeoutError:
                said = b""
            self._spend(len(said))
            self._note(0, len(said), self.begun, time.monotonic())


def answering(connection: socket.socket, spend: Callable[[int], None]) -> Generator[loop.Wait, bool, None]:
    """The other side of a conversation between peers."""
    with connection:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = mimic_peers.Reader()
        try:
            while True:
                piece = yield from loop.received(connection, 65_536, 150.0)
                if not piece:
                    return
                spend(len(piece))
                for size in reader.push(piece):
                    text = mimic_peers.response(size)
                    spend(len(text))
                    yield from loop.sent(connection, text, SECONDS)
        except (OSError, ValueError, Bounded):
            return
