"""
Cowrie's own file system calls on the decoy's tree, so that there is one truth.

    log-in (source, account) -> TreeFilesystem (Cowrie's methods) -> View -> Overlay of the source
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import machine, network, places
from .signatures import expect, expect_attribute
from .tree import Trees
from .tree.store import Store
from .visits import Visits

if TYPE_CHECKING:
    from .decoy import Decoy

#: An overlay is written out this long after its first change since.
SAVED_AFTER_SECONDS = 2.0
#: How often the schedule is asked for a start of the machine.
EVERY_SECONDS = 60.0


def install(decoy: Decoy) -> None:
    from cowrie.core import auth, honeyfs
    from cowrie.shell import avatar, filetransfer, fs, server, session, telnet

    from . import cowrie_files

    expect(honeyfs.read_file, "(virtual_path)")
    expect(honeyfs._tree, "()")
    expect(server.CowrieServer.initFileSystem, "(self, home)")
    expect(session.SSHSessionForCowrieUser.__init__, "(self, avatar, reactor)")
    expect(filetransfer.SFTPServerForCowrieUser.__init__, "(self, avatar)")
    expect(telnet.HoneyPotTelnetSession.__init__, "(self, username, server)")
    expect(fs.HoneyPotFilesystem.__init__, "(self, arch, home)")
    expect_attribute(fs, "A_REALFILE", "T_FIFO")

    store = Store(places.STATE / "tree")
    trees = Trees(decoy.persona, provide=lambda: texts(decoy), store=store)
    decoy.trees = trees
    decoy.visits = Visits(decoy)
    cowrie_files.install(trees)

    def follow(decoy: Decoy) -> None:
        trees.play(decoy.persona, lambda: texts(decoy))

    decoy.on_change(follow)
    save_later(trees)
    follow_starts(decoy)
    ask_the_tree(trees, auth.PersonaUsers)

    # Cowrie's own readers of /etc/passwd, /etc/group and banners know no session.
    honeyfs.read_file = lambda virtual_path: trees.host_view().read(virtual_path)
    # The stock tree is neither loaded nor shown.
    honeyfs._tree = lambda: ["/", 1, 0, 0, 4096, 0o40755, 0, [], None, None]

    def init_file_system(self: Any, home: str) -> None:
        source, uid, gids = getattr(self, "marshlight_account", ("", 0, (0,)))
        self.fs = cowrie_files.TreeFilesystem(trees.view(source, uid, gids), self.arch, home)
        self.process = None

    server.CowrieServer.initFileSystem = init_file_system
    wrap_ssh(trees, session.SSHSessionForCowrieUser)
    wrap_ssh(trees, filetransfer.SFTPServerForCowrieUser)
    wrap_telnet(trees, telnet.HoneyPotTelnetSession)
    expect_attribute(avatar.CowrieUser, "logout")


def ask_the_tree(trees: Trees, users: Any) -> None:
    """A password that the attacker set, or took away, counts before those of the persona."""
    expect(users.checklogin, "(self, thelogin, thepasswd, src_ip)")
    check = users.checklogin

    def checklogin(self: Any, thelogin: bytes, thepasswd: bytes, src_ip: str = "") -> bool:
        said = trees.opens(src_ip, thelogin.decode("utf-8", "replace"), thepasswd)
        return bool(check(self, thelogin, thepasswd, src_ip)) if said is None else said

    users.checklogin = checklogin


def texts(decoy: Decoy) -> dict[str, tuple[bytes, int]]:
    return machine.files(decoy.persona, network.address())


def wrap_ssh(trees: Trees, kind: Any) -> None:
    made = kind.__init__

    def init(self: Any, avatar: Any, *rest: Any) -> None:
        wire = avatar.conn.transport
        sign_in(trees, avatar, avatar.server, wire.transport.getPeer().host, wire.entry.key)
        made(self, avatar, *rest)

    kind.__init__ = init


def wrap_telnet(trees: Trees, kind: Any) -> None:
    made = kind.__init__

    def init(self: Any, username: bytes, server: Any) -> None:
        # The address is known when the connection is handed over: the tree is opened then.
        made(self, username, server)

    def connection_made(self: Any) -> None:
        sign_in(trees, self, self.server, self.transport.getPeer().host)
        self.server.initFileSystem(self.home)
        connected(self)

    connected = kind.connectionMade
    kind.__init__, kind.connectionMade = init, connection_made


def sign_in(trees: Trees, user: Any, server: Any, source: str, public_key: str = "") -> None:
    """Whose changes are seen, and as which account: the one of the attacker's own /etc/passwd, if he changed that."""
    key = trees.key_for(source, user.username, public_key)
    account = trees.account(key, user.username)
    if account:
        user.uid, user.gid, user.home = account.uid, account.gid, account.home
        user.temporary = False
    gids = (user.gid, *(account.groups if account else ()))
    server.marshlight_account = (key, user.uid, gids)


def follow_starts(decoy: Decoy) -> None:
    from twisted.internet.task import LoopingCall

    def look() -> None:
        if decoy.is_started_again():
            decoy.read()
            decoy.tell()

    LoopingCall(look).start(EVERY_SECONDS, now=False)


def save_later(trees: Trees) -> None:
    from twisted.internet import reactor

    waiting: dict[str, Any] = {}

    def save(key: str) -> None:
        waiting.pop(key, None)
        trees.save(key)

    def changed(key: str) -> None:
        if key not in waiting:
            waiting[key] = reactor.callLater(SAVED_AFTER_SECONDS, save, key)

    def save_all() -> None:
        for key in list(waiting):
            trees.save(key)

    trees.on_change = changed
    reactor.addSystemEventTrigger("before", "shutdown", save_all)
