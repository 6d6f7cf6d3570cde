"""
Traffic that the decoy makes by itself, from its own address. Started by the agent (docker exec) while the plan wants it, as
an account of its own that has no right but to go where the packet filter lets that account go (mimicry.py).

    stdin    {"already": ...}, {"agent": ...}, then slices of conversations ("anew": in place of those that wait); its end
             ends this process
    stdout   one line for each conversation: made, failed or not begun since a bound said so
    mimicry.json   targets, bounds and peers: what a slice asks beyond them is refused; `null` ends this process

An attacker who takes this process over gains the targets of the plan, and nothing else.
"""

from __future__ import annotations

import heapq
import json
import os
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mimic_loop as loop
import mimic_peers
import mimicry
from mimic_account import Account, Bounded
from mimic_answers import answering
from mimic_talks import Talk
from mimic_updates import Archive

LOOK_SECONDS = 0.25
MOST_WAITING, MOST_OPEN, MOST_ANSWERED = 4096, 24, 32
LONGEST_LINE = 4 << 20
# A conversation whose time is over so long is not made up for.
LATE_SECONDS = 60


class Mimic:
    def __init__(self, plan: dict) -> None:
        self.plan, self.account, self.agent = plan, Account(), "Debian APT-HTTP/1.3 (2.6.1)"
        self.account.bound(plan)
        self.archives: dict[str, Archive] = {}
        self.waiting: list[tuple[float, int, dict]] = []
        self.open: dict[loop.Task, dict] = {}
        self.answered = 0
        self.context: ssl.SSLContext | None = None
        self.loop = loop.Loop(lambda error: tell({"type": "trouble", "why": str(error)[:200]}))

    def run(self) -> None:
        answers = self.plan["answerOn"]
        if answers:
            try:
                self.context = mimic_peers.certified()
            except (OSError, subprocess.SubprocessError) as error:
                leave("peers", str(error)[:200])
            self.loop.start(self._listen(answers["port"]))
        self.loop.start(self._read())
        self.loop.start(self._watch())
        self.loop.start(self._begin())
        tell({"type": "ready", "answers": bool(answers)})
        self.loop.run()

    def _watch(self) -> loop.Work:
        """The control file is replaced as a whole: another inode is another plan."""
        seen = mark()
        while True:
            yield from loop.sleep(LOOK_SECONDS)
            if mark() == seen:
                continue
            seen = mark()
            plan, error = mimicry.wanted()
            if plan is None or plan["answerOn"] != self.plan["answerOn"]:
                # Switched off, or to be begun anew: who reaches this one is settled when it begins.
                leave("switched off" if plan is None else "other peers", error)
            self.plan = plan
            self.account.bound(plan)
            for task, asked in list(self.open.items()):
                if self._target(asked) is None:
                    self.loop.end(task)

    def _read(self) -> loop.Work:
        os.set_blocking(0, False)
        rest = b""
        while True:
            if not (yield 0, loop.READ, 3600):
                continue
            piece = os.read(0, 65_536)
            if not piece or len(rest) > LONGEST_LINE:
                leave("nobody asks any more")
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _take(self, said: dict) -> None:
        if "already" in said:
            self.account.already(said["already"]["hour"], said["already"]["made"], said["already"]["bytes"])
        self.agent = str(said.get("agent", self.agent))[:200]
        if said.get("handshake") and self.context:
            self.context = mimic_peers.certified(int(said["handshake"]))
        if said.get("anew"):
            self.waiting.clear()
        for asked in said.get("slice", [])[: MOST_WAITING - len(self.waiting)]:
            heapq.heappush(self.waiting, (float(asked["at"]) / 1000, int(asked["id"]), asked))

    def _begin(self) -> loop.Work:
        while True:
            now = time.time()
            while self.waiting and self.waiting[0][0] <= now:
                at, _, asked = heapq.heappop(self.waiting)
                self._one(asked, late=now - at)
            next_at = self.waiting[0][0] - time.time() if self.waiting else LOOK_SECONDS
            yield from loop.sleep(min(LOOK_SECONDS, max(0.001, next_at)))

    def _one(self, asked: dict, late: float) -> None:
        target = self._target(asked)
        if target is None or late > LATE_SECONDS or len(self.open) >= MOST_OPEN:
            why = "not in the plan" if target is None else "too late" if late > LATE_SECONDS else "too many at once"
            return tell(outcome(asked, "bounded", why=why))
        try:
            self.account.begin(asked["instance"], sum(a + b for a, b, _ in asked["exchanges"]))
        except Bounded as bound:
            return tell(outcome(asked, "bounded", why=str(bound)))
        archive = self.archives.setdefault(target["ip"], Archive())
        talk = Talk(asked, target, self.account.spend, archive, self.agent, self.plan["instantiations"])
        work = self._had(asked, talk)
        task = self.loop.start(work)
        if work.gi_frame is not None:
            self.open[task] = asked
        self._forget_ended()

    def _forget_ended(self) -> None:
        for task in [task for task in self.open if task.work.gi_frame is None]:
            del self.open[task]

    def _had(self, asked: dict, talk: Talk) -> loop.Work:
        begun, kind, why = time.time(), "done", None
        try:
            yield from talk.work()
        except Bounded as bound:
            kind, why = "bounded", str(bound)
        except GeneratorExit:
            kind, why = "failed", "the plan changed"
            raise
        except (OSError, ValueError) as error:
            kind, why = "failed", str(error)[:120]
        finally:
            told = {"at": round(begun * 1000), "exchanges": talk.made, "bytes": talk.bytes, "connectMs": talk.connect_ms}
            if talk.moved_bytes > 0:
                told |= {"movedBytes": talk.moved_bytes, "movedMs": round(talk.moved_ms, 3)}
            tell(outcome(asked, kind, why=why, **told))

    def _target(self, asked: dict) -> dict | None:
        said = asked["target"]
        keys = ("role", "ip", "port", "proto")
        return next((one for one in self.plan["targets"] if all(one[key] == said.get(key) for key in keys)), None)

    def _listen(self, port: int) -> loop.Work:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((mimicry.LISTEN, port))
            listener.listen(MOST_ANSWERED)
            listener.setblocking(False)
            while True:
                if not (yield listener, loop.READ, 3600):
                    continue
                connection, (address, _) = listener.accept()
                if address not in self.plan["answerOn"]["peers"] or self.answered >= MOST_ANSWERED:
                    connection.close()
                else:
                    self.loop.start(self._answer(connection))

    def _answer(self, connection: socket.socket) -> loop.Work:
        self.answered += 1
        spent = 0

        def spend(count: int) -> None:
            nonlocal spent
            spent += count
            self.account.spend(count)

        try:
            yield from answering(connection, self.context, spend)
        finally:
            self.answered -= 1
            tell({"type": "served", "bytes": spent})


def outcome(asked: dict, kind: str, **more: object) -> dict:
    head = {"type": kind, "id": asked["id"], "instance": asked["instance"], "kind": asked["kind"]}
    place = {key: asked["target"].get(key) for key in ("role", "ip", "port")}
    return {**head, **place, **{key: value for key, value in more.items() if value is not None}}


def mark() -> tuple[int, int] | None:
    try:
        now = os.stat(mimicry.MIMICRY)
        return now.st_ino, now.st_mtime_ns
    except OSError:
        return None


def tell(line: dict) -> None:
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        os._exit(0)


def leave(why: str, error: str | None = None) -> None:
    """At once: what is open is closed by the kernel."""
    tell({"type": "ended", "why": error or why})
    os._exit(0)


if __name__ == "__main__":
    first, trouble = mimicry.wanted()
    if first is None:
        leave("switched off", trouble)
    else:
        Mimic(first).run()
