import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const packages = ['cowrie', 'common'].map((name) => join(import.meta.dirname, '../../../images', name)).join(':')

/** Runs lines one after the other on one in-memory host. */
const script = `
import json, sys
from marshlight_cowrie.shell.run import Run
run = Run()
for line in json.load(sys.stdin):
    status, out, err = run.command(line)
    print(json.dumps([status, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace')]))
`

/** Line, status, standard output, standard error: as GNU coreutils 9.1, grep 3.8, sed 4.9, mawk 1.3.4 and findutils 4.9 answer. */
const cases: [string, number, string, string][] = [
  [
    'cd /tmp; echo x > kept; rm -i kept < /dev/null; cat kept; echo y | rm -i kept 2>/dev/null; ls kept',
    2,
    'x\n',
    "rm: remove regular file 'kept'? ls: cannot access 'kept': No such file or directory\n",
  ],
  ['echo hello world | tee >(wc -w)', 0, 'hello world\n2\n', ''],
  ['diff <(seq 2) <(seq 3)', 1, '2a3\n> 3\n', ''],
  ["printf 'b 1\\na 2\\n' | sort +1 -2r", 0, 'a 2\nb 1\n', ''],
  ["join -a1 -a2 <(printf 'a\\nc\\n') <(printf 'b\\nc\\n')", 0, 'a\nb\nc\n', ''],
  ['seq 3 | tac | paste -sd,', 0, '3,2,1\n', ''],
  ['seq 1 3 20 | tail -n +6', 0, '16\n19\n', ''],
  ["printf 'b 2\\na 10\\nc 1\\n' | sort -k2 -n | cut -d' ' -f1 | tr '\\n' .", 0, 'c.b.a.', ''],
  ["printf 'x\\nx\\ny\\n' | uniq -c", 0, '      2 x\n      1 y\n', ''],
  ["printf 'one two\\nthree\\n' | wc", 0, '      2       3      14\n', ''],
  ["echo 'a:b:c' | awk -F: '{print $2, NF; s+=1} END {printf \"%05.1f\\n\", s/3}'", 0, 'b 3\n000.3\n', ''],
  ["seq 5 | awk 'NR==2,NR==3 {t[NR]=$1} END {for (i=2;i<=3;i++) n+=t[i]; print n, length(t)}'", 0, '5 2\n', ''],
  [
    'awk \'BEGIN{print substr("hello",2,3) toupper("x"), index("abc","c"), 1e6, 0.1+0.2}\'',
    0,
    'ellX 3 1000000 0.3\n',
    '',
  ],
  ["awk 'BEGIN{print 1 >}'", 2, '', 'awk: line 1: syntax error at or near }\n'],
  ["echo 'foo bar' | sed -E 's/(\\w+) (\\w+)/\\2 \\u\\1/; p' | head -1", 0, 'bar Foo\n', ''],
  ["seq 6 | sed -n '2~2{=;p};$!d'", 0, '2\n2\n4\n4\n6\n6\n', ''],
  ["echo x | sed 's/x/y'", 1, '', "sed: -e expression #1, char 5: unterminated `s' command\n"],
  ["printf 'ab\\nAb\\n' | grep -ic '^ab$'; echo abab | grep -o 'b'", 0, '2\nb\nb\n', ''],
  ["grep '[' /etc/passwd", 2, '', 'grep: Unmatched [, [^, [:, [., or [=\n'],
  ['echo aGVsbG8K | base64 -d; echo -n abc | md5sum', 0, 'hello\n900150983cd24fb0d6963f7d28e17f72  -\n', ''],
  [
    "printf 'ELF\\177' | od -An -tx1; printf 'hi' | xxd",
    0,
    ' 45 4c 46 7f\n00000000: 6869                                     hi\n',
    '',
  ],
  [
    'mkdir -p d/e && touch d/e/f && find d -type f; rmdir d',
    1,
    'd/e/f\n',
    "rmdir: failed to remove 'd': Directory not empty\n",
  ],
  [
    'chmod 640 d/e/f; stat -c "%a %A %s" d/e/f; rm -r d; ls d',
    2,
    '640 -rw-r----- 0\n',
    "ls: cannot access 'd': No such file or directory\n",
  ],
  ['echo 1 2 3 | xargs -n1 echo n', 0, 'n 1\nn 2\nn 3\n', ''],
  [
    'cat /nosuch; ls -q --nosuch',
    2,
    '',
    "cat: /nosuch: No such file or directory\nls: unrecognized option '--nosuch'\nTry 'ls --help' for more information.\n",
  ],
  [
    "date -u -d @86400 '+%F %T %Z'; date -u -d '2024-02-29 12:34:56' +%s",
    0,
    '1970-01-02 00:00:00 UTC\n1709210096\n',
    '',
  ],
  ['date -d nonsense', 1, '', 'date: invalid date ‘nonsense’\n'],
  ['echo data > a; gzip a && zcat a.gz; tar cf t.tar a.gz && tar tf t.tar', 0, 'data\na.gz\n', ''],
  ['expr 7 \\* 6; expr abc : "a\\(.*\\)"; basename /a/b.c .c; dirname /a/b', 0, '42\nbc\nb\n/a\n', ''],
  [
    "yes | head -2; printf 'a\\nb\\n' > p; printf 'b\\nc\\n' > q; comm -12 p q; diff p q",
    1,
    'y\ny\nb\n1d0\n< a\n2a2\n> c\n',
    '',
  ],
  ['busybox ECCHI', 127, '', 'ECCHI: applet not found\n'],
]

t.test('each command answers as the one of a real Debian', async (t) => {
  const ran = spawnSync('python3', ['-c', script], {
    input: JSON.stringify(cases.map(([line]) => line)),
    env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    encoding: 'utf8',
  })
  t.equal(ran.status, 0, ran.stderr)
  const answers = ran.stdout.trim().split('\n')
  for (const [index, [line, ...expected]] of cases.entries()) {
    t.same(JSON.parse(answers[index] ?? 'null'), expected, line)
  }
})
