"""
Asks an address for a page again and again, over one kept connection or a fresh one each time, and writes one line of JSON
for each request: when it was sent (epoch, ms), how long the answer took, what came of it, its body, and from which port.

    http-probe.py <address> <times> kept|fresh [pause seconds]
"""

import http.client
import json
import sys
import time

address, times, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
pause = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
connection = None
for _ in range(times):
    body, came, port = "", "ok", None
    begun = time.time()
    try:
        if connection is None or way == "fresh":
            connection = http.client.HTTPConnection(address, 80, timeout=5)
            connection.connect()
            begun = begun if way == "fresh" else time.time()
        port = connection.sock.getsockname()[1]
        connection.request("GET", "/")
        body = connection.getresponse().read().decode("latin-1")
    except (OSError, http.client.HTTPException) as error:
        came, connection = type(error).__name__, None
    line = {"at": begun * 1000, "ms": (time.time() - begun) * 1000, "came": came, "body": body, "port": port}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    time.sleep(pause)
