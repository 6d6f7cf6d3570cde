"""
A service whose answers take their time, and the visitors who ask: `serve` on port 80, `visit COUNT ADDRESS...`, which
asks each address COUNT times, all of them at once, a new connection each time, or `stay RATE ADDRESS...`, which goes on
until it is ended, about RATE times a second, and lets pass what fails.
"""

from __future__ import annotations

import hashlib
import random
import socket
import socketserver
import sys
import threading
import time


class Answer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(4096)
        digest = b"x"
        for _ in range(400):
            digest = hashlib.sha256(digest).digest()
        time.sleep(random.uniform(0.015, 0.030))
        body = digest.hex().encode() * 40
        self.request.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def stay(address: str, rate: float) -> None:
    while True:
        time.sleep(random.expovariate(rate))
        visit(address, 1, [])


def visit(address: str, count: int, failed: list[str]) -> None:
    for _ in range(count):
        try:
            with socket.create_connection((address, 80), timeout=15) as asked:
                asked.sendall(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")
                while asked.recv(65536):
                    pass
        except OSError as error:
            failed.append(f"{address}: {error}")
        time.sleep(random.uniform(0.005, 0.015))


def main() -> None:
    if sys.argv[1] == "serve":
        Server(("", 80), Answer).serve_forever()
    failed: list[str] = []
    what, given = (stay, (float(sys.argv[2]),)) if sys.argv[1] == "stay" else (visit, (int(sys.argv[2]), failed))
    visitors = [threading.Thread(target=what, args=(address, *given)) for address in sys.argv[3:]]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join()
    if failed:
        sys.exit("\n".join(failed[:5]))


main()
