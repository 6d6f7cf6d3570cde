"""What intruders give to python3, through the real interpreter and through the decoy's; and what must not get out of it."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "images/cowrie"))
sys.path.insert(0, str(ROOT / "images/common"))

from marshlight_cowrie.shell.run import Run  # noqa: E402

#: Output, errors and status are the real interpreter's.
SAME = [
    'print("hi", 1+2*3, 7//2, 2**10, "a"*5, [1,2]+[3], -7%3, 1e10, (1,), set(), b"x", None)',
    "print([x*x for x in range(5) if x%2], {k: len(k) for k in ['a','bb']}, sum(range(101)), sorted([3,1,2], reverse=True))",
    "print('%s-%05.2f|%x' % ('a', 3.14159, 255), '{:>5}|{:<4}|{:03d}'.format('x', 'y', 7), f'{1+1} {\"q\"!r}')",
    "x=5\nif x>3:\n  print('big')\nelse:\n  print('small')\nwhile x:\n  x-=1\nprint(x, 'a' in 'cat', not x, x is None)",
    "def f(a, b=2):\n  return a+b\nprint(f(1), f(1, b=5))\ntry:\n  1/0\nexcept ZeroDivisionError as e:\n  print('caught', e)\nfinally:\n  print('done')",
    "import base64; exec(base64.b64decode('cHJpbnQoNDIp')); print(eval('1+1'))",
    "import json; print(json.dumps({'a': [1, None, 'x']}), json.loads('[1, 2]'))",
    "import hashlib; print(hashlib.md5(b'x').hexdigest())",
    "import socket; s=socket.socket(); s.settimeout(1); print(s.connect_ex(('127.0.0.1', 1)))",
    "import socket; socket.create_connection(('127.0.0.1', 1))",
    "import sys; sys.stdout.write('w\\n'); print('p', file=sys.stderr); sys.exit(3)",
    "exit('bye')",
    "for i in range(3): print(i, end=' ')",
    "print(foo)",
    "import nosuchmodule",
    "[1][3]",
    "{}['a']",
    "'a'+1",
    "int('x')",
    "raise ValueError('bad')",
    "assert 1==2, 'no'",
    "''.nosuch",
    "len(5)",
    "open('/nosuch')",
    "print(int('1e'))",
    "def f(): return g(2)\ndef g(x): return x+'a'\nf()",
]
#: Nothing of the real interpreter is reached: these have no output, and end.
SHUT = [
    "print(().__class__.__bases__)",
    "print('{0.__class__}'.format(1))",
    "print(print.__globals__)",
    "print([].append.__self__)",
    "import os; print(os.path.os)",
    "import sys; print(sys.modules['os'])",
    "try:\n  1/0\nexcept Exception as e: print(e.__traceback__)",
    "print('a'*10**10)",
    "print(2**10**8)",
    "t=(1,1)\nfor i in range(100): t=(t,t)\nprint(len({t: 1}))",
    "a=[1]*1000\nb=[a]*1000\nprint([b]*1000)",
    "import json; print(json.dumps([1], indent=10**9))",
    "print(f'{1:>1000000000}')",
    "print(('e'*100000).encode('punycode'))",
    "def f(): f()\nf()",
    "print(sum([[1]*1000]*100000, []))",
]


class Python(unittest.TestCase):
    def test_as_the_real_one(self) -> None:
        run = Run()
        for text in SAME:
            with self.subTest(text):
                real = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
                if sys.version_info[:2] != (3, 11) and real.returncode:
                    continue
                status, out, err = run.command(f"python3 -c {quoted(text)}")
                # Where a module of the standard library stands in the trace, only what is said at its end counts.
                wanted = real.stderr if "/python3" not in real.stderr else real.stderr.splitlines()[-1] + "\n"
                said = err.decode()
                self.assertEqual((status, out.decode(), said if wanted == real.stderr else said.splitlines()[-1] + "\n"), (real.returncode, real.stdout, wanted))

    def test_shut(self) -> None:
        run = Run()
        for text in SHUT:
            with self.subTest(text):
                _, out, _ = run.command(f"python3 -c {quoted(text)}")
                self.assertEqual(out, b"")

    def test_prompt_and_programs(self) -> None:
        run = Run()
        status, out, _ = run.command("printf '1+1\\nx = 3\\nfor i in range(2):\\n  print(i*x)\\n\\nx\\n' | python3 -i")
        self.assertEqual((status, out.decode()), (0, ">>> 2\n>>> >>> ... ... 0\n3\n>>> 3\n>>> \n"))
        status, out, _ = run.command("python3 -c 'import os; os.system(\"echo $((40+2))\"); print(os.popen(\"echo x\").read())'")
        self.assertEqual((status, out.decode()), (0, "42\nx\n\n"))
        status, out, _ = run.command("python3 -c 'import os; os.execl(\"/bin/sh\", \"sh\", \"-c\", \"echo $0 here; exit 4\")'")
        self.assertEqual((status, out.decode()), (4, "sh here\n"))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    unittest.main()
