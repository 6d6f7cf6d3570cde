"""Redis: RESP 2, the commands that attackers use, values kept in memory within a small bound."""

from __future__ import annotations

import fnmatch
import hashlib
import re
import time
from typing import TYPE_CHECKING

from ...connection import Ended
from .info import info_of

if TYPE_CHECKING:
    from ...connection import Connection

MOST_KEYS, LONGEST_VALUE = 256, 4096
# Letter by letter, with the slip of 7.0 in it.
PROTECTED = (
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default "
    "user. In this mode connections are only accepted from the loopback interface. If you want to connect from external "
    "computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command "
    "'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is "
    "running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make "
    "this change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration "
    "file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server "
    "manually just for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication password for "
    "the default user. NOTE: You only need to do one of the above things in order for the server to start accepting "
    "connections from the outside.\r\n"
)
# How many words a command takes: exactly, or at least where negative, as `COMMAND INFO` says.
ARITY = {
    **{"ping": -1, "echo": 2, "auth": -2, "info": -1, "select": 2, "dbsize": -1, "keys": 2, "get": 2, "set": -3},
    **{"del": -2, "exists": -2, "type": 2, "config": -2, "client": -2, "command": -1, "flushall": -1, "flushdb": -1},
    **{"save": 1, "bgsave": -1, "slaveof": 3, "replicaof": 3, "module": -2, "eval": -3, "scan": -2, "quit": -1},
    **{"hello": -1, "ttl": 2, "lastsave": 1, "time": 1, "role": 1, "shutdown": -1, "monitor": 1, "debug": -2},
}
CONFIG = {
    **{"dir": "/var/lib/redis", "dbfilename": "dump.rdb", "protected-mode": "no", "port": "6379", "bind": "* -::*"},
    **{"maxmemory": "0", "databases": "16", "save": "3600 1 300 100 60 10000", "appendonly": "no", "requirepass": ""},
    **{"logfile": "/var/log/redis/redis-server.log", "daemonize": "yes", "maxclients": "10000", "timeout": "0"},
}


async def talk(connection: Connection) -> None:
    service = connection.service
    if service.flag("protectedMode"):
        connection.send(PROTECTED.encode())
        return
    if connection.busy():
        connection.send(b"-ERR max number of clients reached\r\n")
        return
    connection.patience = 300.0
    known = not service.flag("passwordRequired")
    values: dict[bytes, bytes] = connection.host.memory.setdefault("redis", {})
    while True:
        try:
            words = await read_command(connection)
        except Wrong as wrong:
            connection.session.odd(str(wrong))
            connection.send(f"-ERR Protocol error: {wrong}\r\n".encode())
            return
        if not words:
            continue
        name = words[0].decode("utf-8", "replace").lower()
        if name in ("host:", "post"):
            # The real one takes these for an attack by way of a browser.
            connection.session.odd(b" ".join(words))
            raise Ended("a browser")
        if name == "auth":
            secret, user = words[-1], words[1] if len(words) > 2 else b"default"
            connection.session.refused_login(user, secret)
        else:
            connection.session.command(b" ".join(words))
        arity = ARITY.get(name)
        if arity is None:
            connection.send(unknown(words))
        elif (arity > 0 and len(words) != arity) or (arity < 0 and len(words) < -arity):
            connection.send(f"-ERR wrong number of arguments for '{name}' command\r\n".encode())
        elif name == "auth":
            connection.send(refused(connection, words))
        elif name == "quit":
            connection.send(b"+OK\r\n")
            return
        elif not known and name != "hello":
            connection.send(b"-NOAUTH Authentication required.\r\n")
        else:
            connection.send(answer(connection, name, words, values))


class Wrong(Exception):
    """Not RESP, in the server's own words."""


async def read_command(connection: Connection) -> list[bytes]:
    line = await connection.line(65536)
    if not line.startswith(b"*"):
        return line.split()
    count = number(line, "invalid multibulk length")
    if count > 1024:
        raise Wrong("invalid multibulk length")
    words = []
    for _ in range(max(count, 0)):
        head = await connection.line()
        if not head.startswith(b"$"):
            raise Wrong(f"expected '$', got '{chr(head[0]) if head else ' '}'")
        words.append(await connection.exactly(number(head, "invalid bulk length")))
        await connection.exactly(2)
    return words


def number(line: bytes, otherwise: str) -> int:
    if not re.fullmatch(rb"[*$]-?\d{1,10}", line) or int(line[1:]) > 65535:
        raise Wrong(otherwise)
    return int(line[1:])


def unknown(words: list[bytes]) -> bytes:
    shown = words[0][:128].decode("utf-8", "replace")
    rest = "".join(f"'{word[:128].decode('utf-8', 'replace')}' " for word in words[1:])
    return f"-ERR unknown command '{shown}', with args beginning with: {rest[:128]}\r\n".encode()


def refused(connection: Connection, words: list[bytes]) -> bytes:
    if not connection.service.flag("passwordRequired") and len(words) == 2:
        return (
            b"-ERR AUTH <password> called without any password configured for the default user. "
            b"Are you sure your configuration is correct?\r\n"
        )
    return b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"


def answer(connection: Connection, name: str, words: list[bytes], values: dict[bytes, bytes]) -> bytes:
    if name == "ping":
        return bulk(words[1]) if len(words) > 1 else b"+PONG\r\n"
    if name == "echo":
        return bulk(words[1])
    if name == "info":
        wanted = words[1].decode("latin-1").lower() if len(words) > 1 else ""
        return bulk(info_of(connection, wanted, len(values)).encode())
    if name == "dbsize":
        return f":{len(values)}\r\n".encode()
    if name == "keys":
        pattern = words[1].decode("latin-1")
        found = [key for key in values if fnmatch.fnmatchcase(key.decode("latin-1"), pattern)]
        return array([bulk(key) for key in found])
    if name == "scan":
        return array([bulk(b"0"), array([bulk(key) for key in values])])
    if name == "get":
        return bulk(values[words[1]]) if words[1] in values else b"$-1\r\n"
    if name == "set":
        if len(values) >= MOST_KEYS and words[1] not in values or len(words[2]) > LONGEST_VALUE:
            return b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
        values[words[1][:256]] = words[2]
        return b"+OK\r\n"
    if name in ("del", "exists"):
        count = sum(1 for key in words[1:] if (values.pop(key, None) if name == "del" else values.get(key)) is not None)
        return f":{count}\r\n".encode()
    if name == "type":
        return b"+string\r\n" if words[1] in values else b"+none\r\n"
    if name == "ttl":
        return b":-1\r\n" if words[1] in values else b":-2\r\n"
    if name in ("flushall", "flushdb"):
        values.clear()
        return b"+OK\r\n"
    if name == "select":
        good = words[1].isdigit() and int(words[1]) < 16
        return b"+OK\r\n" if good else b"-ERR DB index is out of range\r\n"
    if name == "config":
        return configured(connection, words)
    if name in ("save", "slaveof", "replicaof"):
        return b"+OK\r\n"
    if name == "bgsave":
        return b"+Background saving started\r\n"
    if name == "lastsave":
        return f":{int(connection.persona.booted_at)}\r\n".encode()
    if name == "time":
        now = time.time()
        return array([bulk(str(int(now)).encode()), bulk(str(int(now % 1 * 1_000_000)).encode())])
    if name == "role":
        return array([bulk(b"master"), b":0\r\n", b"*0\r\n"])
    if name == "client" and words[1].lower() == b"list":
        source, port = connection.session.source
        return bulk(f"id=7 addr={source}:{port} laddr={connection.session.target[0]}:6379 fd=8 name= db=0 cmd=client|list\n".encode())
    if name == "client":
        return b"+OK\r\n"
    if name == "module" and words[1].lower() == b"load":
        return b"-ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.\r\n"
    if name == "module":
        return b"*0\r\n"
    if name == "debug":
        return b"-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.\r\n"
    if name == "eval":
        digest = hashlib.sha1(words[1]).hexdigest()
        return f"-ERR user_script:1: Script attempted to access nonexistent global variable script: {digest}, on @user_script:1.\r\n".encode()
    if name == "shutdown":
        raise Ended("shut down")
    if name == "hello":
        return b"-NOPROTO unsupported protocol version\r\n" if len(words) > 1 and words[1] == b"3" else b"*0\r\n"
    return b"*0\r\n" if name == "command" else b"+OK\r\n"


def configured(connection: Connection, words: list[bytes]) -> bytes:
    what = words[1].lower()
    settings: dict[str, str] = connection.host.memory.setdefault("redis config", dict(CONFIG))
    if what == b"get" and len(words) >= 3:
        pattern = words[2].decode("latin-1").lower()
        pairs = [pair for pair in settings.items() if fnmatch.fnmatchcase(pair[0], pattern)]
        return array([bulk(word.encode()) for pair in pairs for word in pair])
    if what == b"set" and len(words) >= 4:
        name = words[2].decode("latin-1").lower()
        if name in ("dir", "dbfilename") and version_of(connection) >= (7, 0):
            return f"-ERR CONFIG SET failed (possibly related to argument '{name}') - can't set protected config\r\n".encode()
        if name not in settings:
            return f"-ERR Unknown option or number of arguments for CONFIG SET - '{name[:128]}'\r\n".encode()
        settings[name] = words[3].decode("latin-1")[:256]
        return b"+OK\r\n"
    return b"+OK\r\n"


def version_of(connection: Connection) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", connection.service.version)
    return (int(found[1]), int(found[2])) if found else (7, 0)


def bulk(data: bytes) -> bytes:
    return b"$" + str(len(data)).encode() + b"\r\n" + data + b"\r\n"


def array(items: list[bytes]) -> bytes:
    return b"*" + str(len(items)).encode() + b"\r\n" + b"".join(items)
