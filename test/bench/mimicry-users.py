"""
People and their machines in the bench's segment: real clients (curl with the system's resolver, OpenSSH), when and what by
random processes of their own. Arguments: seconds, seed, address of the server, ssh's identity file.
"""

import random
import subprocess
import sys
import threading
import time

SECONDS, SEED, ADDRESS, IDENTITY = float(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
NAMES = ["deb.lab.example", "security.lab.example", "files.intranet.lab.example", "mail.lab.example", "wiki.lab.example"]
SUITES = ["bookworm", "bookworm-updates", "bookworm-security"]
LISTS = ["InRelease", "main/binary-amd64/Packages.xz", "main/i18n/Translation-en.xz", "main/binary-amd64/Packages.gz"]
COMMANDS = ["ls -l /etc", "uptime", "df -h", "cat /etc/os-release", "ps", "ls /usr/bin", "date", "id", "head -c 3000 /etc/services"]
END = time.monotonic() + SECONDS


def machine(number):
    chance = random.Random(f"{SEED} machine {number}")
    while time.monotonic() < END:
        time.sleep(chance.expovariate(1 / 2.5))
        for _ in range(chance.choice([1, 1, 2, 3])):
            if chance.random() < 0.4:
                run(["getent", "ahosts", chance.choice(NAMES)])
            else:
                path = f"/debian/dists/{chance.choice(SUITES)}/{chance.choice(LISTS)}"
                dated = ["-z", "2026-06-01"] if chance.random() < 0.4 else []
                secure, agent = chance.random() < 0.4, ["-A", "Debian APT-HTTP/1.3 (2.6.1)"]
                place = f"https://{NAMES[2]}" if secure else f"http://{chance.choice(NAMES[:2])}"
                run(["curl", "-sk", "-o", "/dev/null", *([] if secure else agent), *dated, f"{place}{path}"])
            time.sleep(chance.lognormvariate(-2, 0.7))


def person(number):
    chance = random.Random(f"{SEED} person {number}")
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "GSSAPIAuthentication=no"]
    while time.monotonic() < END:
        time.sleep(chance.expovariate(1 / 1.2))
        with subprocess.Popen(
            ["ssh", "-F", "none", "-i", IDENTITY, *[word for one in options for word in ("-o", one)], f"root@{ADDRESS}", "sh"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as session:
            for _ in range(1 + int(chance.expovariate(1 / 3))):
                time.sleep(chance.lognormvariate(-1.2, 0.6))
                session.stdin.write(chance.choice(COMMANDS).encode() + b"\n")
                session.stdin.flush()
            time.sleep(0.1)
            session.stdin.close()


def run(command):
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=20)


threads = [threading.Thread(target=machine, args=(n,)) for n in range(4)]
threads += [threading.Thread(target=person, args=(n,)) for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
