"""The persona as the agent writes it (shared/schemas/persona.ts), checked before anything uses it."""

from __future__ import annotations

from dataclasses import dataclass

from . import persona_host
from .fields import Fields, Refused, parsed
from .persona_host import Busybox, File, Honey, Network, Package, Schedule, Service

__all__ = ["Fields", "Persona", "Process", "Refused", "Ssh", "Telnet", "User", "parsed", "read_persona"]


@dataclass(frozen=True)
class Kernel:
    name: str
    release: str
    build: str
    machine: str
    operating_system: str


@dataclass(frozen=True)
class System:
    id: str
    name: str
    version: str
    pretty_name: str
    kernel: Kernel


@dataclass(frozen=True)
class Hardware:
    vendor: str
    cpu_model: str
    cpu_mhz: float
    cores: int
    memory_kb: int


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int
    gecos: str
    home: str
    shell: str
    passwords: tuple[str, ...]
    #: The first try of a source at which a right password is let in.
    accept_from_try: int = 1


@dataclass(frozen=True)
class Process:
    user: str
    pid: int
    cpu: float
    mem: float
    vsz: int
    rss: int
    tty: str
    stat: str
    start: str
    time: str
    command: str


@dataclass(frozen=True)
class Ssh:
    banner: str
    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    compression: tuple[str, ...]
    max_auth_tries: int


@dataclass(frozen=True)
class Telnet:
    banner: str
    login_prompt: str
    password_prompt: str


@dataclass(frozen=True, eq=False)
class Persona:
    """Compared by identity, so that what was drawn from one can be kept by it."""

    id: str
    version: int
    seed: str
    hostname: str
    domain: str
    os: System
    hardware: Hardware
    timezone: str
    booted_at: float
    ssh: Ssh | None
    telnet: Telnet | None
    issue: str
    motd: str
    users: tuple[User, ...]
    processes: tuple[Process, ...]
    ttl: int
    locale: str = ""
    services: tuple[Service, ...] = ()
    network: Network | None = None
    schedule: Schedule | None = None
    packages: tuple[Package, ...] = ()
    files: tuple[File, ...] = ()
    honey: tuple[Honey, ...] = ()
    busybox: Busybox | None = None
    #: The start that the agent wrote, where the schedule has brought a later one since (0: none).
    written_start: float = 0.0

    @property
    def anchor(self) -> float:
        """The start that the persona's life is drawn from; stays when the host was started again."""
        return self.written_start or self.booted_at


def read_persona(raw: bytes) -> Persona:
    """Raises Refused with the field that is wrong."""
    root = Fields(parsed(raw), "persona")
    os, hardware = root.fields("os"), root.fields("hardware")
    kernel = os.fields("kernel")
    persona = Persona(
        id=root.text("id"),
        version=root.integer("version", least=1),
        seed=root.text("seed"),
        hostname=root.text("hostname"),
        domain=root.text("domain") if root.has("domain") else "",
        os=System(
            id=os.text("id"),
            name=os.text("name"),
            version=os.text("version"),
            pretty_name=os.text("prettyName"),
            kernel=Kernel(
                name=kernel.text("name"),
                release=kernel.text("release"),
                build=kernel.text("build"),
                machine=kernel.text("machine"),
                operating_system=kernel.text("operatingSystem"),
            ),
        ),
        hardware=Hardware(
            vendor=hardware.text("vendor"),
            cpu_model=hardware.text("cpuModel"),
            cpu_mhz=hardware.number("cpuMhz"),
            cores=hardware.integer("cores", least=1),
            memory_kb=hardware.integer("memoryKb", least=1024),
        ),
        timezone=root.text("timezone"),
        booted_at=root.moment("bootedAt"),
        ssh=ssh_of(root.fields("ssh")) if root.has("ssh") else None,
        telnet=telnet_of(root.fields("telnet")) if root.has("telnet") else None,
        issue=root.text("issue"),
        motd=root.text("motd"),
        users=tuple(user_of(user) for user in root.each("users")),
        processes=tuple(process_of(process) for process in root.each("processes")),
        ttl=root.integer("ttl", least=1),
        locale=root.text("locale", 32, r"[A-Za-z0-9_.@-]*") if root.has("locale") else "",
        services=persona_host.services_of(root),
        network=persona_host.network_of(root),
        schedule=persona_host.schedule_of(root),
        packages=persona_host.packages_of(root),
        files=persona_host.files_of(root),
        honey=persona_host.honey_of(root),
        busybox=persona_host.busybox_of(root),
    )
    if persona.ssh is None and persona.telnet is None:
        raise Refused("persona has neither ssh nor telnet: nothing to serve")
    if not persona.users:
        raise Refused("persona.users is empty")
    return persona


def ssh_of(ssh: Fields) -> Ssh:
    banner = ssh.text("banner")
    if not banner.startswith("SSH-2.0-") or not banner.isascii() or not banner.isprintable():
        raise Refused(f"persona.ssh.banner is {banner[:80]!r}, not a printable SSH-2.0- line")
    return Ssh(
        banner=banner,
        kex=ssh.names("kex"),
        host_keys=ssh.names("hostKeys"),
        ciphers=ssh.names("ciphers"),
        macs=ssh.names("macs"),
        compression=ssh.names("compression"),
        max_auth_tries=ssh.integer("maxAuthTries", least=1),
    )


def telnet_of(telnet: Fields) -> Telnet:
    return Telnet(telnet.text("banner"), telnet.text("loginPrompt"), telnet.text("passwordPrompt"))


def user_of(user: Fields) -> User:
    return User(
        name=user.text("name"),
        uid=user.integer("uid"),
        gid=user.integer("gid"),
        gecos=user.text("gecos"),
        home=user.text("home"),
        shell=user.text("shell"),
        passwords=user.names("passwords"),
        accept_from_try=user.integer("acceptFromTry", 1, 1000) if user.has("acceptFromTry") else 1,
    )


def process_of(process: Fields) -> Process:
    return Process(
        user=process.text("user"),
        pid=process.integer("pid", least=1),
        cpu=process.number("cpu"),
        mem=process.number("mem"),
        vsz=process.integer("vsz"),
        rss=process.integer("rss"),
        tty=process.text("tty"),
        stat=process.text("stat"),
        start=process.text("start"),
        time=process.text("time"),
        command=process.text("command"),
    )
