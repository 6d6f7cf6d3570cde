import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const images = join(import.meta.dirname, '../../../images')

/** Runs lines one after the other on one in-memory device whose every command is BusyBox. */
const script = `
import json, sys
from types import SimpleNamespace
from marshlight_cowrie.machine import busybox
from marshlight_cowrie.shell.applets import registry_for
from marshlight_cowrie.shell.run import Run
busybox.read = lambda: {**busybox.NOTHING, "usage": {"ls": "Usage: ls [-la] [FILE]...\\n", "cp": "Usage: cp [-a] SOURCE DEST\\n"}}
run = Run()
applets = "[ [[ ash cat chmod cp dd df diff echo free grep head hexdump ifconfig kill ls mkdir ps rm sh tail time top uname wc wget which".split()
run.host.persona.busybox = SimpleNamespace(banner="BusyBox v1.36.1 (2024-03-22 22:09:42 UTC)", applets=tuple(applets))
run.system.registry = registry_for(run.registry)
run.tree.fill({"/bin/busybox": b"\\x7fELF"}, 0o755)
failed = []
run.system.on_failure = failed.append
for line in json.load(sys.stdin):
    for name in applets:
        try:
            run.tree.unlink(f"/usr/bin/{name}")
        except OSError:
            pass
        run.tree.symlink("/bin/busybox", f"/usr/bin/{name}")
    status, out, err = run.command(line, dialect="ash", name="ash")
    print(json.dumps([status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")]))
    assert not failed, failed
`

const head = 'BusyBox v1.36.1 (2024-03-22 22:09:42 UTC) multi-call binary.\n'

/** Line, status, standard output, standard error: as BusyBox answers. */
const cases: [string, number, string, string][] = [
  ['/bin/busybox ECCHI', 127, '', 'ECCHI: applet not found\n'],
  ['busybox | head -n 1', 0, head, ''],
  ['enable', 127, '', 'ash: enable: not found\n'],
  ['ls /nosuch', 1, '', 'ls: /nosuch: No such file or directory\n'],
  ['ls -z', 1, '', `ls: invalid option -- 'z'\n${head}\nUsage: ls [-la] [FILE]...\n`],
  ['cp', 1, '', `${head}\nUsage: cp [-a] SOURCE DEST\n`],
  ['cat /nosuch', 1, '', "cat: can't open '/nosuch': No such file or directory\n"],
  [
    'rm /nosuch; mkdir /etc',
    1,
    '',
    "rm: can't remove '/nosuch': No such file or directory\nmkdir: can't create directory '/etc': File exists\n",
  ],
  ['cd /nosuch', 2, '', "ash: cd: line 0: can't cd to /nosuch: No such file or directory\n"],
  ['echo -ne "\\x45\\103" > /tmp/f; cat /tmp/f | hexdump', 0, `0000000 4345${' '.repeat(35)}\n0000002\n`, ''],
  ['echo hello > /tmp/g; wc /tmp/g', 0, '        1         1         6 /tmp/g\n', ''],
  ['diff /tmp/f /tmp/f; a=(1)', 2, '', 'ash: syntax error: unexpected "("\n'],
  [
    'ps | head -n 1; df /nosuch',
    1,
    '  PID USER       VSZ STAT COMMAND\nFilesystem           1K-blocks      Used Available Use% Mounted on\n',
    "df: /nosuch: can't find mount point\n",
  ],
  [
    'dd if=/dev/zero of=/tmp/z bs=52 count=1; free | head -n 1',
    0,
    '              total        used        free      shared  buff/cache   available\n',
    '1+0 records in\n1+0 records out\n',
  ],
  [
    'grep x /nosuch; kill 99999; wget',
    1,
    '',
    `grep: /nosuch: No such file or directory\nash: can't kill pid 99999: No such process\n${head}\nUsage: wget\n`,
  ],
  ['top -bn1 | tail -n 1 | wc -l; ifconfig lo | head -n 1', 0, '1\nlo        Link encap:Local Loopback  \n', ''],
]

t.test('a device of BusyBox answers as BusyBox', async (t) => {
  const ran = spawnSync('python3', ['-c', script], {
    input: JSON.stringify(cases.map(([line]) => line)),
    env: { ...process.env, PYTHONPATH: `${images}/cowrie:${images}/common`, PYTHONDONTWRITEBYTECODE: '1' },
    encoding: 'utf8',
  })
  t.equal(ran.status, 0, ran.stderr)
  const answers = ran.stdout.trim().split('\n')
  for (const [index, [line, ...expected]] of cases.entries()) {
    t.same(JSON.parse(answers[index] ?? 'null'), expected, line)
  }
})
