"""Every snippet through real bash and through the decoy's shell: output, status and wording of errors are the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "images" / name) for name in ("cowrie", "common")]

from marshlight_cowrie.shell.run import Run  # noqa: E402

SNIPPETS = Path(__file__).parent / "snippets"
STDIN = b"first line\nsecond one here\nthird\nab\ncxd\ne:f:g\nlast words\n"
ENVIRONMENT = {"PATH": "/nowhere", "HOME": "/", "LANG": "C.UTF-8"}
#: Snippets where this shell is known to differ; each says why.
KNOWN: dict[str, str] = {
    "(echo bg) & wait; f() { echo fbg; }; f & wait %1; echo $?": "bash removes the job before or after, as it comes",
    "(kill -9 $BASHPID); echo $?; (kill $BASHPID); echo $?; (exit 255); echo $?; (exit -1); echo $?": "bash names the pid",
    "x=$(echo a␤nosuch6); echo $x; `nosuch7`; echo $?": "bash counts one line too many within $( )",
    "[[ a": "bash asks for an operator first",
    "echo ok␤echo $((1+(2))": "bash waits for a second bracket",
}


def by_bash(snippet: str, folder: str) -> tuple[int, bytes, bytes]:
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    ran = subprocess.run(
        [BASH, "--norc", "-c", snippet], input=STDIN, capture_output=True, cwd=folder, env=ENVIRONMENT, timeout=20, check=False
    )
    status = ran.returncode if ran.returncode >= 0 else 128 - ran.returncode
    return status, ran.stdout, ran.stderr.replace(BASH.encode() + b":", b"bash:")


def by_decoy(snippet: str, folder: str) -> tuple[int, bytes, bytes]:
    run = Run(commands=False)
    run.tree.fill({folder: None})
    return run.command(snippet, STDIN, env=ENVIRONMENT, cwd=folder)


BASH = shutil.which("bash") or "/bin/bash"


def differences(path: Path) -> list[str]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for line in path.read_text().splitlines():
            if line in KNOWN:
                continue
            snippet = line.replace("␤", "\n")
            wanted = by_bash(snippet, folder)
            try:
                got = by_decoy(snippet, folder)
            except Exception as error:  # noqa: BLE001
                found.append(f"{line}\n    raised {error!r}")
                continue
            # Both name themselves by the path they were started with.
            if tidy(wanted) != tidy(got):
                found.append(f"{line}\n    bash  {tidy(wanted)}\n    decoy {tidy(got)}")
    return found


def tidy(result: tuple[int, bytes, bytes]) -> tuple[int, str, str]:
    status, out, err = result
    return status, out.decode("utf-8", "replace").replace(BASH, "bash"), err.decode("utf-8", "replace").replace(BASH, "bash")


class Language(unittest.TestCase):
    def test_snippets(self) -> None:
        for path in sorted(SNIPPETS.glob("*.txt")):
            with self.subTest(path.stem):
                found = differences(path)
                self.assertEqual(len(found), 0, "\n" + "\n".join(found))


if __name__ == "__main__":
    unittest.main()
