"""Times a server from outside, for a test to compare with: greeting or answer, once a line in milliseconds."""
from __future__ import annotations

import socket
import sys
import time

kind, ip, port, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for _ in range(rounds):
    with socket.create_connection((ip, port), 5) as talk:
        begun = time.perf_counter()
        if kind == "http":
            talk.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        talk.recv(1)
        print((time.perf_counter() - begun) * 1000, flush=True)
    time.sleep(0.2)
