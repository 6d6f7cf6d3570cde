import { createHash } from 'node:crypto'
import t from 'tap'
import { personaOf } from './cowrie-persona.ts'
import { eventually, Lab, Shell } from './cowrie-pod.ts'

t.setTimeout(60_000)

const lab = await Lab.start(t, personaOf('db-srv-02', 1))
const run = (line: string) => lab.ssh('root', 'toor!23', line)

t.test('a command has its own output, errors and status', async (t) => {
  const line = 'for i in {1..3}; do echo $((i * 2)); done | tail -n 1; nosuch 2>&1 >/dev/null; nosuch; exit 7'
  t.match(await run(line), {
    code: 7,
    out: '6\nbash: line 1: nosuch: command not found\n',
    err: /^bash: line 1: nosuch: command not found\n/m,
  })
  t.match(await run("exec 3<&0; while read -r l <&3; do echo no; done; sh -c 'foo'; echo $?"), { out: '127\n' })
})

t.test('a terminal shows a prompt, and nothing of an editor around what commands say', async (t) => {
  const shell = new Shell(lab, 'root', 'toor!23')
  t.teardown(() => shell.close())
  await shell.until(/root@db-srv-02:~# $/)
  shell.type('for i in 1 2')
  await shell.until(/> $/)
  shell.type('do echo "n$i"; done')
  const seen = await shell.until(/n1\r\nn2\r\n.*root@db-srv-02:~# $/s)
  for (const mode of ['h', 'l']) t.notOk(seen.includes(`\u001b[4${mode}`), 'the mode of inserting is left alone')
  shell.type('cd /etc; nosuch')
  await shell.until(/-bash: nosuch: command not found\r\n.*root@db-srv-02:\/etc# $/s)
})

t.test('an endless loop holds nobody up, and Ctrl-C ends it', async (t) => {
  const shell = new Shell(lab, 'root', 'toor!23')
  t.teardown(() => shell.close())
  await shell.until(/# $/)
  shell.type('while true; do :; done')
  t.match(await run('echo meanwhile'), { code: 0, out: 'meanwhile\n' })
  shell.type('\u0003')
  await shell.until(/\^C\r\n.*# $/s)
  shell.type('echo $?')
  await shell.until(/130\r\n/)
})

t.test('what was typed, and what was written by any command, is in the events', async (t) => {
  await run(
    'echo dropped > /tmp/.x; cp /tmp/.x /tmp/.copy; echo t | tee /tmp/.tee; dd if=/tmp/.x of=/tmp/.dd bs=3 count=1',
  )
  for (const [path, contents] of [
    ['/tmp/.x', 'dropped\n'],
    ['/tmp/.copy', 'dropped\n'],
    ['/tmp/.tee', 't\n'],
    ['/tmp/.dd', 'dro'],
  ] as const) {
    const kept = await eventually(
      async () => (await lab.events()).find((line) => line.includes('file_download') && line.includes(`"${path}"`)),
      `${path} as an artifact`,
    )
    t.match(JSON.parse(kept), { shasum: createHash('sha256').update(contents).digest('hex'), destfile: path })
  }
  const typed = (await lab.events()).map((line) => JSON.parse(line)).filter((e) => e.eventid === 'cowrie.command.input')
  t.ok(
    typed.some((event) => event.input === 'for i in 1 2') && typed.some((event) => event.input === 'cd /etc; nosuch'),
  )
})
