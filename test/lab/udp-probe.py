"""
Asks a decoy's clock, or for a file of its TFTP, again and again, each time from a port of its own, and writes a line of
JSON with what came (ok, refused, nothing), from which port, and how long it took: udp-probe.py <address> ntp|tftp <times>
"""

import json
import socket
import sys
import time

PORT, QUESTION = {"ntp": (123, b"\x23" + bytes(47)), "tftp": (69, b"\0\x01startup\0octet\0")}[sys.argv[2]]

for _ in range(int(sys.argv[3])):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.6)
        if sys.argv[2] == "ntp":
            # Connected, it is told of a port that is closed.
            asking.connect((sys.argv[1], PORT))
        begun, came, port = time.monotonic(), "ok", None
        try:
            asking.sendto(QUESTION, (sys.argv[1], PORT)) if sys.argv[2] == "tftp" else asking.send(QUESTION)
            port = asking.recvfrom(2048)[1][1]
        except ConnectionRefusedError:
            came = "refused"
        except TimeoutError:
            came = "nothing"
        print(json.dumps({"came": came, "port": port, "ms": (time.monotonic() - begun) * 1000}), flush=True)
        # No source is answered more than twenty times a second.
        time.sleep(0.06)
