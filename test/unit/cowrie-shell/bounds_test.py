"""What an attacker's line may use: it gives others their turn, and what grows without end fails as on a full machine."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "images" / name) for name in ("cowrie", "common")]

from marshlight_cowrie.shell.budget import STEPS  # noqa: E402
from marshlight_cowrie.shell.children import isolated  # noqa: E402
from marshlight_cowrie.shell.dialect import BASH  # noqa: E402
from marshlight_cowrie.shell.run import Run  # noqa: E402
from marshlight_cowrie.shell.streams import Sink, Source  # noqa: E402
from marshlight_cowrie.shell.tasks import Interrupted  # noqa: E402

ENDLESS = (
    "while true; do :; done",
    "until false; do x=1; done",
    "for ((;;)); do :; done",
    "while :; do :; done | while :; do :; done",
    "f() { :; }; while f; do f; done",
    "while [ 1 ]; do [[ a == b ]]; ((1)); done",
    "trap ':' EXIT; while :; do (:) ; done",
    "while :; do x=$(echo a); done",
    "while read x || true; do :; done < /dev/null",
    "while :; do echo x; done > /dev/null",
    "yes() { while :; do echo y; done; }; yes | while read x; do :; done",
)
ENDING = (
    (":(){ :|:; };:", b"Resource temporarily unavailable"),
    ("x=a; while :; do x=$x$x; done", b"cannot allocate"),
    ("f() { f; }; f", b""),
    ("f() { $(f); }; f", b""),
    ("f() { (f); }; f", b""),
    ("f() { f | f; }; f", b"Resource temporarily unavailable"),
    ("echo {1..999999999} | while read x; do :; done", b"cannot allocate"),
    ("echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", b"cannot allocate"),
    ("printf '%999999999d' 1 > /dev/null", b""),
    ("a=(); for ((i=0;i<99999999;i++)); do a[i]=$i; done", b"cannot allocate"),
    ("eval 'eval \"$0\"'; x='eval \"$x\"'; eval \"$x\"", b""),
    ("echo '. ./s' > s; . ./s", b""),
    ("x=x; echo $((x))", b"recursion level"),
    ("echo " + "$(" * 300 + ")" * 300, b""),
    ("[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab =~ (a+)+$ ]]", b""),
    ("[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab =~ (a|a)*$ ]]", b""),
    ("[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa == *a*a*a*a*a*a*a*a*a*a*a*a*b ]]", b""),
    ("printf -v x '%065000d' 0; echo ${x//0*1/} ${x%%*1} ${x##*1*2} > /dev/null", b""),
    ("x=$(while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done)", b""),
)


class Bounds(unittest.TestCase):
    def start(self, text: str) -> tuple[Run, object, Sink]:
        run = Run(commands=False)
        err = Sink(1 << 24)
        shell = run.shell(Source(b""), Sink(1 << 24), err, BASH)
        shell.label = "-c"
        return run, run.scheduler.spawn(isolated(shell, shell.run_text(text, label="-c"))), err

    def test_endless_lines_give_the_turn(self) -> None:
        for text in ENDLESS:
            with self.subTest(text):
                run, task, _ = self.start(text)
                for _ in range(400):
                    before = run.system.budget.steps
                    run.scheduler.run_slice(0.0)
                    self.assertLessEqual(run.system.budget.steps - before, STEPS)
                self.assertFalse(task.done)
                task.interrupt(Interrupted(2))
                run.scheduler.close()
                self.assertTrue(task.done)

    def test_what_grows_ends(self) -> None:
        sys.setrecursionlimit(12000)
        for text, said in ENDING:
            with self.subTest(text):
                run, task, err = self.start(text)
                slices = 0
                while not task.done and slices < 200_000 and run.scheduler.run_slice(0.0):
                    slices += 1
                self.assertTrue(task.done, f"still runs after {slices} turns: {err.data[-200:]!r}")
                self.assertIn(said, err.data)
                run.scheduler.close()


if __name__ == "__main__":
    unittest.main()
