"""
Runs on the attacker: each line of standard input, `{"line": text}`, is sent over one SSH connection on an exec channel of
its own; writes `{"status", "out", "err"}` a line. Arguments: host, user, password.
"""

import base64
import json
import subprocess
import sys
import tempfile

host, user, password = sys.argv[1:]
LIMIT_SECONDS = 12
MOST = 200_000
folder = tempfile.mkdtemp()
quiet = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", f"ControlPath={folder}/c"]
options = [word for option in quiet for word in ("-o", option)]
target = [*options, f"{user}@{host}"]


def connected():
    return subprocess.run(["ssh", "-O", "check", *target], capture_output=True, check=False).returncode == 0


def connect():
    words = ["sshpass", "-p", password, "ssh", "-f", "-N", "-M", *target]
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)


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
