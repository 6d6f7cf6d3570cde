"""
Runs on the attacker: each line of standard input, `{"line": text}`, is sent over one SSH connection on an exec channel of
its own; writes `{"status", "out", "err"}` a line. Arguments: host, user, password.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile

host, user, password = sys.argv[1:]
LIMIT_SECONDS = 12
MOST = 200_000
folder = tempfile.mkdtemp()
asker = f"{folder}/ask"
with open(asker, "w", encoding="ascii") as file:
    file.write('#!/bin/sh\necho "$ASKED"\n')
os.chmod(asker, 0o700)
quiet = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", f"ControlPath={folder}/c"]
options = [word for option in quiet for word in ("-o", option)]
target = [*options, f"{user}@{host}"]


def connected():
    # The connection takes its socket away when it ends.
    return os.path.exists(f"{folder}/c")


def connect():
    # Not sshpass: the connection would die with the terminal that it makes.
    environment = {**os.environ, "SSH_ASKPASS": asker, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0", "ASKED": password}
    quietly = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["ssh", "-f", "-N", "-M", *target], env=environment, timeout=30, check=False, **quietly)


def run(line):
    try:
        ran = subprocess.run(
            ["ssh", *target, line], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_SECONDS, check=False
        )
        return ran.returncode, ran.stdout, ran.stderr
    except subprocess.TimeoutExpired as late:
        return None, late.stdout or b"", late.stderr or b""


for row in sys.stdin:
    if not connected():
        connect()
    status, out, err = run(json.loads(row)["line"])
    told = {"status": status}
    for name, data in (("out", out), ("err", err)):
        told[name] = base64.b64encode(data[:MOST]).decode()
    print(json.dumps(told), flush=True)
