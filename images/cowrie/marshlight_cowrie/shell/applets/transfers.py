"""
Fetching: Cowrie's commands do it (and keep what came), what is said of it is BusyBox's.

    wget URL -> Cowrie's wget, unheard -> status, and what it complained of -> BusyBox's words for that
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...machine import busybox as facts
from .modules import say
from .usage import refusal

if TYPE_CHECKING:
    from ..ports import Process
    from .shared import Command

#: What Cowrie says of a connection that failed -> what connect(2) said.
REASONS = (
    (r"refused", "Connection refused"),
    (r"timed? ?out", "Connection timed out"),
    (r"unreachable|Unable to establish", "Network is unreachable"),
)


class Heard:
    """Takes what a command says, for nobody to read."""

    is_tty = False

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data = (self.data + data)[-4096:]

    async def drain(self) -> None:
        return


async def unheard(p: Process, command: Command, words: list[str], *, stdout: bool = False) -> tuple[int, str]:
    """Its status, and what it said."""
    args, below, out = p.args, p.stderr, p.stdout
    heard = Heard()
    p.args, p.stderr = words, heard  # type: ignore[assignment]
    if not stdout:
        p.stdout = heard  # type: ignore[assignment]
    try:
        status = await command(p)
    finally:
        p.args, p.stderr, p.stdout = args, below, out
    return status, heard.data.decode("utf-8", "replace")


def operands(p: Process, valued: str) -> tuple[dict[str, str], list[str]]:
    """Letters with their values, and the rest. Long options have theirs after a sign or in the next word."""
    words, given, rest = p.args[1:], {}, []
    while words:
        word = words.pop(0)
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            given[name] = value if equals else words.pop(0) if name in ("header", "post-data", "post-file") and words else ""
        elif word.startswith("-") and len(word) > 1:
            for at, letter in enumerate(word[1:], 2):
                if letter in valued:
                    given[letter] = word[at:] or (words.pop(0) if words else "")
                    break
                given[letter] = ""
        else:
            rest.append(word)
    return given, rest


def wget_of(cowrie: Command | None) -> Command:
    async def wget(p: Process) -> int:
        given, urls = operands(p, "OoUPYT")
        if not urls:
            raise refusal(p, "wget")
        url = urls[0]
        if "://" not in url:
            url = f"http://{url}"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or {"https": 443, "ftp": 21}.get(parts.scheme, 80)
        except ValueError:
            host, port, parts = "", 80, urlsplit("http://")
        if parts.scheme not in ("http", "https", "ftp"):
            say(p, f"not an http or ftp url: {url}")
            return 1
        if not host:
            say(p, "bad address ''")
            return 1
        name = given.get("O") or (parts.path.rsplit("/", 1)[-1] or "index.html")
        target = name if "O" in given or "P" not in given else f"{given['P'].rstrip('/')}/{name}"
        if cowrie is None or p.session is None:
            status, said = 1, "unreachable"
        else:
            words = ["wget", *(["-O", target] if target != "-" else ["-O", "-"]), url]
            status, said = await unheard(p, cowrie, words, stdout=target == "-")
        literal = re.fullmatch(r"[\d.]+", host) is not None
        if re.search(r"resol|No such host|DNS", said) and not literal:
            say(p, f"bad address '{host}'")
            return 1
        address = host if literal else p.host.gateway
        quiet = "q" in given
        if not quiet:
            shown = host if parts.port is None else f"{host}:{port}"
            p.stderr.write(f"Connecting to {shown} ({address}:{port})\n".encode())
        answer = re.search(r"ERROR (\d{3}):? ?([^\n.]*)", said)
        if answer:
            say(p, f"server returned error: HTTP/1.1 {answer[1]} {answer[2]}".rstrip())
            return 1
        if status:
            if "Cannot open" in said or "Permission denied" in said:
                say(p, f"can't open '{target}': {'Permission denied' if 'denied' in said else 'No such file or directory'}")
                return 1
            reason = next((words for pattern, words in REASONS if re.search(pattern, said, re.I)), "Connection timed out")
            say(p, f"can't connect to remote host ({address}): {reason}")
            return 1
        if not quiet and target != "-":
            p.stderr.write(progress(p, target).encode())
        return 0

    return wget


def progress(p: Process, target: str) -> str:
    """`saving to`, the finished bar, `saved`."""
    try:
        size = p.fs.stat(p.path(target)).size
    except OSError:
        size = 0
    name = target.rsplit("/", 1)[-1][:20]
    bar = "*" * 32
    line = f"{name:<20} 100% |{bar}| {size:>5}  0:00:00 ETA\n"
    # Where it is saved to, releases of before 2019 kept to themselves.
    if facts.release(p.host.persona) < (1, 31):
        return line
    return f"saving to '{target}'\n{line}'{target}' saved\n"


def fetch_of(name: str, cowrie: Command | None, valued: str) -> Command:
    """tftp, ftpget: silent when it went well."""

    async def fetch(p: Process) -> int:
        given, rest = operands(p, valued)
        least = 1 if name == "tftp" else 2
        if len(rest) < least or name == "tftp" and not {"g", "p", "c"} & given.keys():
            raise refusal(p, name)
        if cowrie is None or p.session is None:
            status, said = 1, "unreachable"
        else:
            status, said = await unheard(p, cowrie, p.args)
        if not status and not re.search(r"timed? ?out|refused|unreachable|can't|error", said, re.I):
            return 0
        if name == "tftp":
            say(p, "sendto: Network is unreachable" if "unreachable" in said.lower() else "timeout")
            return 1
        reason = next((words for pattern, words in REASONS if re.search(pattern, said, re.I)), "Connection timed out")
        host = rest[0]
        literal = re.fullmatch(r"[\d.]+", host) is not None
        say(p, f"can't connect to remote host ({host}): {reason}" if literal else f"bad address '{host}'")
        return 1

    return fetch


async def telnet(p: Process) -> int:
    """No way out: what a port that drops says."""
    given, rest = operands(p, "l" if p.args[0] == "telnet" else "pwfesi")
    if not rest and "l" not in given:
        raise refusal(p, p.args[0])
    if not rest:
        return 1
    if p.args[0] == "nc" and len(rest) < 2:
        raise refusal(p, "nc")
    await p.host.sleep(3)
    say(p, f"can't connect to remote host ({rest[0]}): Connection timed out" if re.fullmatch(r"[\d.]+", rest[0]) else f"bad address '{rest[0]}'")
    return 1


async def ping(p: Process) -> int:
    given, rest = operands(p, "csitIWwp")
    if not rest:
        raise refusal(p, p.args[0])
    host = rest[0]
    if not re.fullmatch(r"[\d.]+", host) and host != "localhost":
        await p.host.sleep(2)
        say(p, f"bad address '{host}'")
        return 1
    own = host in (p.host.address, "127.0.0.1", "localhost")
    count = int(given["c"]) if given.get("c", "").isdigit() else 4
    size = int(given["s"]) if given.get("s", "").isdigit() else 56
    p.out(f"PING {host} ({'127.0.0.1' if host == 'localhost' else host}): {size} data bytes\n")
    marks = [0.04 + p.host.random(f"ping {number} {p.pid}") / 20 for number in range(min(count, 20))]
    for number, mark in enumerate(marks):
        if own:
            p.out(f"{size + 8} bytes from {host}: seq={number} ttl={p.host.persona.ttl} time={mark:.3f} ms\n")
        if number + 1 < len(marks) or not own:
            await p.host.sleep(1)
    p.out(f"\n--- {host} ping statistics ---\n{count} packets transmitted, {count if own else 0} packets received, {0 if own else 100}% packet loss\n")
    if own:
        p.out(f"round-trip min/avg/max = {min(marks):.3f}/{sum(marks) / len(marks):.3f}/{max(marks):.3f} ms\n")
    return 0 if own else 1


async def nslookup(p: Process) -> int:
    if not [word for word in p.args[1:] if not word.startswith("-")]:
        raise refusal(p, "nslookup")
    await p.host.sleep(5)
    p.out(";; connection timed out; no servers could be reached\n\n")
    return 1


COMMANDS = {"ping": ping, "ping6": ping, "nslookup": nslookup}


def over(common: dict[str, Command]) -> dict[str, Command]:
    """Those that Cowrie's commands stand behind."""
    made: dict[str, Command] = {"wget": wget_of(common.get("wget"))}
    made["tftp"] = fetch_of("tftp", common.get("tftp"), "lrbc")
    made["ftpget"] = fetch_of("ftpget", common.get("ftpget"), "upP")
    made["ftpput"] = fetch_of("ftpput", common.get("ftpput"), "upP")
    for name in ("nc", "telnet"):
        made[name] = connect_of(name, common.get(name))
    return made


def connect_of(name: str, cowrie: Command | None) -> Command:
    """Cowrie's own where it has one: it keeps what is sent."""

    async def connect(p: Process) -> int:
        given, rest = operands(p, "l" if name == "telnet" else "pwfesi")
        if cowrie is None or p.session is None or len(rest) < (1 if name == "telnet" else 2) or name == "telnet":
            return await telnet(p)
        status, said = await unheard(p, cowrie, p.args, stdout=True)
        if status or said:
            say(p, f"can't connect to remote host ({rest[0]}): {next((words for pattern, words in REASONS if re.search(pattern, said, re.I)), 'Connection timed out')}")
            return 1
        return 0

    return connect
