"""
A service whose answers take their time, and the visitors who ask: `serve` on port 80, or `visit COUNT ADDRESS...`, which
asks each address COUNT times, all of them at once, a new connection each time.
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
    visitors = [threading.Thread(target=visit, args=(address, int(sys.argv[2]), failed)) for address in sys.argv[3:]]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join()
    if failed:
        sys.exit("\n".join(failed[:5]))


main()
