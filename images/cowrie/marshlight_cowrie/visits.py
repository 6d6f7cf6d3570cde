"""
Who is on the machine through this decoy: numbers of processes, terminals, and what the daemons write about each client.

    connected -> asked, refused ... -> entered -> terminal, ended -> left          each into the books of that attacker
                 `-- given_up                                                       (life.doings, seen by nobody else)
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import life
from .life import daemon_lines
from .life.daemon_lines import Client, Words
from .life.doings import Doings
from .life.happenings import Event
from .machine.kernel import most_pid
from .tree import accounts

if TYPE_CHECKING:
    from .decoy import Decoy

#: Sources that failed and were not in yet; of the one seen longest ago nothing is kept past that.
MOST_WAITING = 256
LOGIND = 512
DAY = 86_400.0


@dataclass(eq=False)
class Visit:
    client: Client
    pid: int
    began: float
    #: Whose overlay, once he is in.
    key: str | None = None
    entered: float = 0.0
    #: Terminals that are open, each with when it was opened and its number of a process.
    terminals: dict[str, tuple[float, int]] = field(default_factory=dict)
    #: The process tables of its shells.
    tables: list[Any] = field(default_factory=list)
    child: int = 0
    number: int = 0
    too_many: bool = False
    #: What the client said as it left: the reason's number and text.
    farewell: str | None = None
    #: In the place of an SSH client's first line; empty: it said none; None: it was one.
    said: str | None = ""
    over: bool = False


class Visits:
    def __init__(self, decoy: Decoy) -> None:
        self.decoy = decoy
        self.last_pid = self.last_number = 0
        self.open: dict[str, list[Visit]] = {}
        self.waiting: OrderedDict[str, Doings] = OrderedDict()

    def now(self) -> float:
        return self.decoy.trees.clock()

    def next_pid(self) -> int:
        """Rises with the machine's own, and with each one that was given."""
        given = max(self.last_pid + 1, life.pid_at(self.decoy.persona, self.now()))
        self.last_pid = given if given < most_pid(self.decoy.persona) else 300
        return self.last_pid

    def connected(self, kind: str, source: str, port: int) -> Visit:
        ssh = self.decoy.persona.ssh
        if kind == "sshd" and ssh is not None and "dropbear" in ssh.banner.lower():
            kind = "dropbear"
        persona = self.decoy.persona
        bookworm = persona.os.id == "debian" and persona.os.version.startswith("12")
        return Visit(Client(kind, source, port, reads_environment=bookworm), self.next_pid(), self.now())

    def asked(self, visit: Visit, user: str) -> None:
        client = visit.client
        if client.user == user:
            return
        client.user = user[:32]
        trees = self.decoy.trees
        known = accounts.account(trees.view(client.source, 0, (0,)) if client.source in self.open else trees.host_view(), user)
        if known is None:
            known = trees.account(trees.key_for(client.source, user), user) if trees.store and trees.store.owners else None
        client.uid = known.uid if known else None
        self.tell(visit, daemon_lines.asked(client))
        if client.uid is None and client.kind == "sshd":
            self._failed(visit, 0.0)

    def refused(self, visit: Visit) -> None:
        visit.client.failures += 1
        self.tell(visit, daemon_lines.refused(visit.client))
        self._failed(visit, 2.0)

    def _failed(self, visit: Visit, after: float) -> None:
        client = visit.client
        tty = "ssh:notty" if client.kind == "sshd" else client.tty
        self.books(visit).note(Event(self.now() + after, "failed", client.user, client.source, str(client.port), 0.0, tty, visit.pid))

    def entered(self, visit: Visit, key: str, account: Any, way: str) -> None:
        client = visit.client
        client.user, client.uid = account.name, account.uid
        self.last_number = max(self.last_number, visit.pid // 97) + 1
        visit.key, visit.entered, visit.number = key, self.now(), self.last_number
        books = self.decoy.trees.doings(key)
        books.uids[account.name] = account.uid
        if client.source in self.waiting:
            books.take(self.waiting.pop(client.source))
        self.open.setdefault(key, []).append(visit)
        self.tell(visit, daemon_lines.let_in(client, way, visit.number))

    def child(self, visit: Visit) -> int:
        """The process that sshd runs as the account; root needs none."""
        visit.child = visit.child or (self.next_pid() if visit.client.uid else visit.pid)
        return visit.child

    def free_terminal(self) -> str:
        """The lowest that nobody has, nor will have while this visit may well last."""
        now = self.now()
        logins = life.events(self.decoy.persona, now - DAY, now + DAY / 2, ("login",))
        taken = {event.tty for event in logins if event.until > now}
        taken |= {name for visits in self.open.values() for visit in visits for name in visit.terminals}
        return next(name for name in (f"pts/{number}" for number in range(1000)) if name not in taken)

    def terminal(self, visit: Visit, name: str, pid: int) -> None:
        visit.terminals[name] = (self.now(), pid)
        self._record(visit, "login", name, pid)

    def ended(self, visit: Visit, name: str) -> None:
        found = visit.terminals.pop(name, None)
        if found is not None:
            self._record(visit, "logout", name, found[1])

    def _record(self, visit: Visit, kind: str, name: str, pid: int) -> None:
        client = visit.client
        self.books(visit).note(Event(self.now(), kind, client.user, client.source, str(client.port), 0.0, name, pid))

    def left(self, visit: Visit) -> None:
        if visit.over:
            return
        visit.over = True
        for name in list(visit.terminals):
            self.ended(visit, name)
        if visit.key is None:
            if visit.client.user or visit.farewell is not None or visit.client.kind == "sshd":
                self.tell(visit, daemon_lines.given_up(visit.client, too_many=visit.too_many, polite=visit.farewell, said=visit.said))
            return
        self.tell(visit, daemon_lines.left(visit.client, visit.number, polite=visit.farewell))
        here = self.open.get(visit.key, [])
        if visit in here:
            here.remove(visit)
        if not here:
            self.open.pop(visit.key, None)
        self.decoy.trees.on_change(visit.key)

    def books(self, visit: Visit) -> Doings:
        source = visit.client.source
        if visit.key is not None or source in self.open:
            return self.decoy.trees.doings(visit.key or source)
        books = self.waiting.pop(source, None) or Doings()
        self.waiting[source] = books
        if len(self.waiting) > MOST_WAITING:
            self.waiting.popitem(last=False)
        return books

    def tell(self, visit: Visit, words: Words) -> None:
        books, now = self.books(visit), self.now()
        name = visit.client.kind
        for after, process, text in words:
            tag = f"systemd-logind[{LOGIND}]" if process < 0 else f"{name}[{self.child(visit) if process else visit.pid}]"
            books.say(now + after, "auth", tag, text)

    def say(self, key: str, facility: str, tag: str, text: str) -> None:
        """syslog(3) by a program that he runs."""
        with contextlib.suppress(KeyError):
            self.decoy.trees.doings(key).say(self.now(), facility, tag, text)
