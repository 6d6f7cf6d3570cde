"""FTP up to the log-in, in the words of the product: vsftpd, ProFTPD, Pure-FTPd, Microsoft's."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...connection import Ended
from .inside import visit

if TYPE_CHECKING:
    from ...connection import Connection
    from ...persona import Service


@dataclass(frozen=True)
class Words:
    greeting: str
    ask: str
    wrong: str
    first: str
    no_user: str
    bye: str
    features: tuple[str, ...]
    unknown: str
    # Seconds before a refusal, from and to, and refusals after which the server hangs up.
    delay: tuple[float, float]
    tries: int
    # Told before anybody has logged in.
    open: tuple[tuple[str, str], ...] = ()
    feature_head: str = "211-Features:"
    feature_end: str = "211 End"
    # To who connects while too many others are.
    busy: str = "Service not available, closing control connection."


def words_of(service: Service) -> Words:
    product = service.product.lower()
    version = service.version.split(" ")[0]
    if "proftpd" in product:
        return Words(
            greeting="ProFTPD Server (Debian) [::ffff:{address}]" if not version else f"ProFTPD {version} Server (Debian) [{{address}}]",
            ask="331 Password required for {user}",
            wrong="530 Login incorrect.",
            first="530 Please login with USER and PASS",
            no_user="503 Login with USER first",
            bye="221 Goodbye.",
            features=("EPRT", "EPSV", "HOST", "LANG en-US*", "MDTM", "MFF modify;UNIX.group;UNIX.mode;", "MFMT",
                      "MLST modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.mode*;UNIX.owner*;", "REST STREAM",
                      "SITE COPY", "SITE MKDIR", "SITE RMDIR", "SITE SYMLINK", "SITE UTIME", "SIZE", "TVFS", "UTF8"),
            unknown="500 {command} not understood",
            delay=(0.02, 0.2),
            tries=3,
            open=(("SYST", "215 UNIX Type: L8"), ("NOOP", "200 NOOP command successful")),
        )
    if "pure" in product:
        return Words(
            greeting="---------- Welcome to Pure-FTPd [privsep] [TLS] ----------",
            ask="331 User {user} OK. Password required",
            wrong="530 Login authentication failed",
            first="530 You aren't logged in",
            no_user="530 Please tell me who you are",
            bye="221-Goodbye. You uploaded 0 and downloaded 0 kbytes.\r\n221 Logout.",
            features=("EPRT", "IDLE", "MDTM", "SIZE", "MFMT", "REST STREAM", "ESTA", "PASV", "EPSV", "UTF8", "TVFS"),
            unknown="500 Unknown command",
            delay=(1.0, 3.0),
            tries=5,
            open=(("SYST", "215 UNIX Type: L8"), ("NOOP", "200 Zzz...")),
            feature_head="211-Extensions supported:",
            feature_end="211 End.",
            busy="50 users (the maximum) are already logged in, sorry",
        )
    if "microsoft" in product or "iis" in product:
        return Words(
            greeting="Microsoft FTP Service",
            ask="331 Password required",
            wrong="530 User cannot log in.",
            first="530 Please login with USER and PASS.",
            no_user="503 Login with USER first.",
            bye="221 Goodbye.",
            features=("LANG EN*", "UTF8", "AUTH TLS;TLS-C;SSL;TLS-P;", "PBSZ", "PROT C;P;", "CCC", "HOST", "SIZE", "MDTM",
                      "REST STREAM"),
            unknown="500 Command not understood.",
            delay=(0.01, 0.08),
            tries=10,
            open=(("SYST", "215 Windows_NT"), ("NOOP", "200 noop command successful.")),
            feature_head="211-Extended features supported:",
            feature_end="211 END",
        )
    return Words(
        greeting=f"(vsFTPd {version})" if "vsftpd" in product else service.named(),
        ask="331 Please specify the password.",
        wrong="530 Login incorrect.",
        first="530 Please login with USER and PASS.",
        no_user="503 Login with USER first.",
        bye="221 Goodbye.",
        features=("EPRT", "EPSV", "MDTM", "PASV", "REST STREAM", "SIZE", "TVFS"),
        unknown="530 Please login with USER and PASS.",
        # One second of vsftpd's own, two more or less of PAM's.
        delay=(2.3, 4.1),
        tries=3,
        busy="There are too many connected users, please try later.",
        open=(("OPTS", "200 Always in UTF8 mode."),),
    )


LOGIN = ("USER", "PASS", "QUIT", "FEAT")
KNOWN = frozenset(
    ("ABOR ACCT ALLO APPE AUTH CDUP CWD DELE EPRT EPSV HELP LIST MDTM MKD MODE NLST NOOP OPTS PASV PBSZ PORT PROT PWD REIN"
     " REST RETR RMD RNFR RNTO SITE SIZE STAT STOR STOU STRU SYST TYPE XCUP XCWD XMKD XPWD XRMD MLSD MLST LANG HOST").split()
)


async def talk(connection: Connection) -> None:
    connection.patience = 300.0
    words = words_of(connection.service)
    address = connection.session.target[0]
    if connection.busy():
        say(connection, f"421 {words.busy}")
        return
    greeting = connection.service.text("banner", words.greeting.replace("{address}", address))
    say(connection, f"220 {greeting}")
    user: bytes | None = None
    refused = 0
    while True:
        try:
            line = await connection.line(4096)
        except Ended as ended:
            if str(ended) == "a line too long":
                say(connection, "500 Input line too long.")
                await connection.finish()
            raise
        command, _, rest = line.partition(b" ")
        verb = command.upper().decode("latin-1")
        if verb == "USER":
            # A name that is empty is asked for its password like any other, and is none.
            user = rest or None
            say(connection, words.ask.format(user=rest.decode("latin-1")[:200]))
        elif verb == "PASS" and user is not None:
            if connection.service.flag("anonymous") and user.lower() in (b"anonymous", b"ftp"):
                connection.session.accepted_login(user, rest)
                return await visit(connection, words.bye)
            connection.session.refused_login(user, rest)
            user, refused = None, refused + 1
            await connection.pause(random.uniform(*words.delay))
            say(connection, words.wrong)
            if refused >= words.tries:
                return
        elif verb == "PASS":
            say(connection, words.no_user)
        elif verb == "QUIT":
            say(connection, words.bye)
            return
        elif verb == "FEAT":
            lines = "".join(f" {feature}\r\n" for feature in words.features)
            say(connection, f"{words.feature_head}\r\n{lines}{words.feature_end}")
        elif line == b"" and "vsftpd" in connection.service.product.lower():
            continue
        else:
            connection.session.command(line)
            answer = dict(words.open).get(verb)
            say(connection, answer or (words.first if verb in KNOWN else words.unknown.format(command=verb[:80])))


def say(connection: Connection, text: str) -> None:
    connection.send(text.encode("latin-1", "replace") + b"\r\n")
