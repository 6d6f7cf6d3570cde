/**
 * What a decoy must not be able to do, each tried for real from inside, as Python of its standard library only: run by
 * the engine in the container itself, so with just that container's rights, filter of system calls, root and network.
 * Each try prints its name when it SUCCEEDED. No try does harm if it does: one empty datagram to an address of the
 * benchmarking range or the gateway, one file of no length, one mount in a namespace of its own.
 */
export const attemptsProgram = `
import ctypes, errno, json, os, socket, stat, sys

targets = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
succeeded, tried = [], 0


def attempt(name, work):
    global tried
    tried += 1
    try:
        words = work()
    except Exception:
        return
    if words:
        succeeded.append(f"{name}: {words}"[:200])


def system_call(result, words):
    return words if result != -1 else None


def datagram(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        # The filter refuses at once, with EPERM; without a route nothing leaves either.
        out.sendto(b"", (host, port))
    return f"a datagram left for {host}:{port}"


def connection(host, port):
    with socket.socket() as out:
        out.settimeout(0.5)
        answer = out.connect_ex((host, port))
    return f"{host}:{port} answered" if answer in (0, errno.ECONNREFUSED) else None


def write(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    os.unlink(path)
    return f"{path} was written"


def opened(path, flags=os.O_RDONLY):
    file = os.open(path, flags)
    try:
        # What the engine hides is an empty file in its place.
        hidden = flags == os.O_RDONLY and stat.S_ISREG(os.fstat(file).st_mode) is False and not os.read(file, 1)
        return None if hidden else f"{path} was opened"
    finally:
        os.close(file)


def raw(family, kind, protocol):
    socket.socket(family, kind, protocol).close()
    return "a raw socket"


def device():
    path = "/tmp/.attempt"
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 1))
    os.unlink(path)
    return "a device was made"


def rights():
    with open("/proc/self/status") as file:
        said = dict(line.split(":", 1) for line in file)
    wrong = [name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(said[name], 16)]
    wrong += [name for name, right in (("NoNewPrivs", "1"), ("Seccomp", "2")) if said[name].strip() != right]
    wrong += ["Uid 0"] if "0" in said["Uid"].split() else []
    return ", ".join(wrong)


for host, port in targets:
    attempt("udp", lambda: datagram(host, port))
    attempt("tcp", lambda: connection(host, port))
for folder in ("", "/etc", "/usr", "/opt", "/var", "/marshlight/control"):
    attempt("write", lambda: write(f"{folder}/.attempt"))
for path in ("/dev/mem", "/dev/kmsg", "/proc/kcore", "/var/run/docker.sock", "/run/docker.sock", "/proc/1/root/proc/kcore"):
    attempt("host", lambda: opened(path))
for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/sys/kernel/mm/ksm/run", "/proc/sys/net/ipv4/ip_forward"):
    attempt("kernel", lambda: opened(path, os.O_WRONLY))
attempt("raw socket", lambda: raw(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("packet socket", lambda: raw(socket.AF_PACKET, socket.SOCK_RAW, 0))
attempt("device", device)
attempt("chroot", lambda: os.chroot("/tmp") or "the root was changed")
attempt("setuid", lambda: os.setuid(0) or "became root")
attempt("ptrace", lambda: system_call(libc.ptrace(0, 0, 0, 0), "tracing is possible"))
attempt("namespace", lambda: system_call(libc.unshare(0x10000000), "a user namespace was made"))
attempt("mount", lambda: system_call(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), "something was mounted"))
attempt("rights", rights)
print(json.dumps({"tried": tried, "succeeded": succeeded[:16]}))
`
