"""
Names itself to an FTP server again and again over one connection, and writes a line of JSON with the code of each answer
and how long it took: ftp-probe.py <address> <times>
"""

import ftplib
import json
import sys
import time

with ftplib.FTP(sys.argv[1], timeout=10) as ftp:
    for _ in range(int(sys.argv[2])):
        begun = time.monotonic()
        code = ftp.sendcmd("USER anna")[:3]
        print(json.dumps({"code": code, "ms": (time.monotonic() - begun) * 1000}))
