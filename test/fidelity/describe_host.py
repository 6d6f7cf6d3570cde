"""Runs on a real host: writes the persona that a decoy needs to pretend to be it, as JSON."""

import datetime
import json
import os
import re
import subprocess


def out(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


release = dict(re.findall(r'^(\w+)="?(.*?)"?$', text("/etc/os-release"), re.M))
kernel = os.uname()
cpu = dict(re.findall(r"^(.+?)\s*: (.*)$", text("/proc/cpuinfo"), re.M))
boot = int(re.search(r"btime (\d+)", text("/proc/stat"))[1])
sshd = dict(line.split(" ", 1) for line in out("/usr/sbin/sshd", "-T", "-o", "PermitRootLogin=yes").splitlines() if " " in line)

users = []
for row in text("/etc/passwd").splitlines():
    name, _, uid, gid, gecos, home, shell = row.split(":")
    # People, and what packages added: the distribution's own are the decoy's business.
    person = shell.endswith("sh") and (uid == "0" or 1000 <= int(uid) < 60000)
    if person or 100 <= int(uid) < 1000:
        known = ["<password>"] if person else []
        users.append(dict(name=name, uid=int(uid), gid=int(gid), gecos=gecos, home=home, shell=shell, passwords=known))

processes = []
own = os.getpid()
for row in out("ps", "-eo", "user:32,pid,ppid,pcpu,pmem,vsz,rss,tty,stat,start_time,time,args", "ww").splitlines()[1:]:
    user, pid, ppid, pcpu, pmem, vsz, rss, tty, stat, start, time, args = row.split(None, 11)
    if int(pid) == own or int(ppid) == own:
        continue
    hours, minutes, seconds = time.split(":")
    processes.append(
        dict(
            user=user, pid=int(pid), cpu=float(pcpu), mem=float(pmem), vsz=int(vsz), rss=int(rss), tty=tty, stat=stat,
            start=start, time=f"{int(hours) * 60 + int(minutes)}:{seconds}", command=args[:256],
        )
    )

packages = []
for row in out("dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}\t${binary:Summary}\n").splitlines():
    name, version, arch, summary = row.split("\t")
    packages.append(dict(name=name, version=version, arch=arch, summary=summary[:128]))
openssh = next(package["version"] for package in packages if package["name"] == "openssh-server")
number, _, debian = openssh.partition("-")
banner = f"SSH-2.0-OpenSSH_{number.partition(':')[2]} Debian-{debian}"

print(
    json.dumps(
        dict(
            id="01920000-0000-7000-8000-0000000000c0",
            version=1,
            seed="of-the-real-host",
            family="debian-server",
            hostname=kernel.nodename,
            os=dict(
                id=release["ID"],
                name=release["NAME"],
                version=release["VERSION"],
                prettyName=release["PRETTY_NAME"],
                kernel=dict(
                    name=kernel.sysname,
                    release=kernel.release,
                    build=kernel.version,
                    machine=kernel.machine,
                    operatingSystem=out("uname", "-o").strip(),
                ),
            ),
            hardware=dict(
                vendor="Docker",
                cpuModel=cpu.get("model name", "unknown"),
                cpuMhz=float(cpu.get("cpu MHz", 2000)),
                cores=os.cpu_count(),
                memoryKb=int(re.search(r"MemTotal: +(\d+)", text("/proc/meminfo"))[1]),
            ),
            mac=dict(oui="02:42:c6", vendor="Docker"),
            timezone="Etc/UTC",
            bootedAt=datetime.datetime.fromtimestamp(boot, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            ssh=dict(
                banner=banner,
                kex=sshd["kexalgorithms"].split(","),
                hostKeys=["rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-ed25519"],
                ciphers=sshd["ciphers"].split(","),
                macs=sshd["macs"].split(","),
                compression=["none", "zlib@openssh.com"],
                maxAuthTries=6,
            ),
            issue="",
            motd=text("/etc/motd") if os.path.exists("/etc/motd") else "",
            users=users,
            processes=processes,
            ttl=64,
            locale="C",
            packages=packages,
            reasons=[],
        )
    )
)
