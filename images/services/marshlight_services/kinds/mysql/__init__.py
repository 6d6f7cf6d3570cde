"""MySQL and MariaDB up to the refused log-in: greeting, TLS, both ways of passwords."""

from __future__ import annotations

import hashlib
import secrets
import struct
from typing import TYPE_CHECKING

from ...certificate import own_key, pem, stored, tls_context

if TYPE_CHECKING:
    from ...connection import Connection
    from ...persona import Persona, Service

CLIENT_CONNECT_WITH_DB, CLIENT_SSL, CLIENT_PLUGIN_AUTH, CLIENT_CONNECT_ATTRS = 0x8, 0x800, 0x80000, 0x100000
CLIENT_LENENC = 0x200000
NATIVE, CACHING = "mysql_native_password", "caching_sha2_password"


def is_maria(service: Service) -> bool:
    return "maria" in service.product.lower()


def server_version(service: Service) -> str:
    """As the server itself says: MariaDB before 11 passes for a MySQL 5.5.5 with a longer name."""
    if service.text("serverVersion"):
        return service.text("serverVersion")
    if not is_maria(service):
        return service.version
    own = service.version if "MariaDB" in service.version else f"{service.version}-MariaDB"
    return f"5.5.5-{own}" if own.startswith("10.") else own


def plugin_of(service: Service) -> str:
    new = not is_maria(service) and service.version.split(".")[0] in ("8", "9")
    return service.text("authPlugin", CACHING if new else NATIVE)


def prepare(persona: Persona, service: Service) -> object:
    return None if is_maria(service) else stored(persona, service)


async def talk(connection: Connection) -> None:
    service = connection.service
    packets = Packets(connection)
    source = connection.session.source[0]
    if service.flag("refuseHosts"):
        brand = "MariaDB" if is_maria(service) else "MySQL"
        packets.send(error(1130, "", f"Host '{source}' is not allowed to connect to this {brand} server"))
        return
    if connection.busy():
        packets.send(error(1040, "", "Too many connections"))
        return
    salt = bytes(1 + byte % 126 for byte in secrets.token_bytes(20))
    packets.send(greeting(connection, salt))
    login = await packets.next()
    if len(login) == 32 and flags_of(login) & CLIENT_SSL and not is_maria(service):
        await connection.start_tls(tls_context(connection.persona, service))
        login = await packets.next()
    if len(login) < 34 or not flags_of(login) & 0x200:
        connection.session.odd(login[:256])
        packets.send(error(1043, "08S01", "Bad handshake"))
        return
    user, response, database, plugin, client = fields_of(login)
    if client:
        connection.session.tell("client.version", version=client)
    wanted = plugin_of(service)
    password = None
    if response and plugin != wanted:
        # It answered in another way than accounts here have: asked again, with the same salt.
        packets.send(b"\xfe" + wanted.encode() + b"\0" + salt + b"\0")
        response = await packets.next()
    if wanted == CACHING and response:
        password = await whole_password(connection, packets, salt)
    used = "YES" if response else "NO"
    scheme = "mysql-sha2" if wanted == CACHING else "mysql-native"
    more = {"scheme": scheme, "response": response.hex(), "salt": salt.hex()} if response and password is None else {}
    connection.session.refused_login(user, password, database=database or None, **more)
    shown = user.decode("utf-8", "replace")[:80]
    packets.send(error(1045, "28000", f"Access denied for user '{shown}'@'{source}' (using password: {used})"))


async def whole_password(connection: Connection, packets: Packets, salt: bytes) -> str | None:
    """A name whose password is not in the cache has to send it whole: in TLS, or under the server's key."""
    packets.send(b"\x01\x04")
    answer = await packets.next()
    if connection.tls is not None:
        return answer.rstrip(b"\0").decode("utf-8", "backslashreplace")
    if answer != b"\x02":
        return None
    key = own_key(connection.persona, connection.service)
    packets.send(b"\x01" + pem("PUBLIC KEY", key.public_info()))
    number = int.from_bytes(await packets.next(), "big")
    mixed = unpadded(pow(number, key.d, key.n).to_bytes((key.n.bit_length() + 7) // 8, "big"))
    if mixed is None:
        return None
    return bytes(byte ^ salt[at % 20] for at, byte in enumerate(mixed)).rstrip(b"\0").decode("utf-8", "backslashreplace")


def unpadded(block: bytes) -> bytes | None:
    """OAEP with SHA-1 (RFC 8017, 7.1.2) taken off."""
    masked_seed, masked = block[1:21], block[21:]
    seed = bytes(a ^ b for a, b in zip(masked_seed, mask(masked, 20)))
    data = bytes(a ^ b for a, b in zip(masked, mask(seed, len(masked))))
    _, found, message = data[20:].partition(b"\x01")
    return message if block[0] == 0 and found and data[:20] == hashlib.sha1(b"").digest() else None


def mask(seed: bytes, size: int) -> bytes:
    blocks = (hashlib.sha1(seed + count.to_bytes(4, "big")).digest() for count in range(size // 20 + 1))
    return b"".join(blocks)[:size]


class Packets:
    def __init__(self, connection: Connection) -> None:
        self.connection, self.number = connection, 0

    def send(self, payload: bytes) -> None:
        self.connection.send(struct.pack("<I", len(payload))[:3] + bytes([self.number & 0xFF]) + payload)
        self.number += 1

    async def next(self) -> bytes:
        head = await self.connection.exactly(4)
        self.number = head[3] + 1
        return await self.connection.exactly(head[0] | head[1] << 8 | head[2] << 16)


def greeting(connection: Connection, salt: bytes) -> bytes:
    service = connection.service
    maria = is_maria(service)
    low, high, charset = (0xF7FE, 0x81FF, 45) if maria else (0xFFFF, 0xDFFF, 255)
    counted = int(connection.host.memory.get("mysql", 30 + connection.persona.booted_at % 97))
    connection.host.memory["mysql"] = counted + 1
    version = server_version(service).encode() + b"\0"
    head = b"\x0a" + version + struct.pack("<I", counted) + salt[:8] + b"\0"
    head += struct.pack("<HBHHB", low, charset, 2, high, 21)
    head += b"\0" * 6 + b"\x1d\0\0\0" if maria else b"\0" * 10
    return head + salt[8:] + b"\0" + plugin_of(service).encode() + b"\0"


def flags_of(login: bytes) -> int:
    return int(struct.unpack_from("<I", login)[0])


def fields_of(login: bytes) -> tuple[bytes, bytes, bytes, str, str | None]:
    flags = flags_of(login)
    user, _, rest = login[32:].partition(b"\0")
    size = rest[0] if rest else 0
    response, rest = rest[1 : 1 + size], rest[1 + size :]
    database = b""
    if flags & CLIENT_CONNECT_WITH_DB:
        database, _, rest = rest.partition(b"\0")
    plugin = NATIVE
    if flags & CLIENT_PLUGIN_AUTH:
        name, _, rest = rest.partition(b"\0")
        plugin = name.decode("latin-1") or NATIVE
    return user, response, database, plugin, client_of(rest[1:]) if flags & CLIENT_CONNECT_ATTRS else None


def client_of(attributes: bytes) -> str | None:
    words, at = [], 0
    while at < len(attributes):
        size = attributes[at]
        words.append(attributes[at + 1 : at + 1 + size].decode("utf-8", "replace"))
        at += 1 + size
    named = dict(zip(words[::2], words[1::2]))
    name = named.get("program_name") or named.get("_client_name")
    version = named.get("_client_version", "")
    return f"{name} {version}".strip() if name else None


def error(number: int, state: str, text: str) -> bytes:
    # Before the log-in began, an error has no SQL state.
    mark = b"#" + state.encode() if state else b""
    return b"\xff" + struct.pack("<H", number) + mark + text.encode()
