import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseCowrieEvent } from '../../agent/sessions/cowrie-parser.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { personaOf } from './cowrie-persona.ts'
import { command, docker, eventually, Lab, Shell } from './cowrie-pod.ts'

t.setTimeout(120_000)

const plain = personaOf('db-srv-02', 1)
const patient = {
  ...{ name: 'deploy', uid: 1002, gid: 1002, gecos: 'deploy', home: '/home/deploy', shell: '/bin/bash' },
  ...{ passwords: ['Winter2023'], acceptFromTry: 2 },
}
const persona = { ...plain, users: [...plain.users, patient] }
const lab = await Lab.start(t, persona)
const context = { decoy: persona.id, persona: persona.id, personaVersion: 99, revision: 1 }

/** Greets the server and prints its banner and the name lists of its KEXINIT. */
const readKexInit = `
import json, socket, struct, sys
s = socket.create_connection((sys.argv[1], 22), 5)
f = s.makefile("rb")
banner = f.readline().decode().rstrip("\\r\\n")
s.sendall(b"SSH-2.0-OpenSSH_9.2p1\\r\\n")
length, pad = struct.unpack(">IB", f.read(5))
body = f.read(length - 1)[17:]
lists = []
for _ in range(10):
    size = struct.unpack(">I", body[:4])[0]
    lists.append(body[4:4 + size].decode().split(","))
    body = body[4 + size:]
print(json.dumps([banner, *lists]))
`

async function eventsOf(accept: (event: DecoyEvent) => boolean): Promise<DecoyEvent[]> {
  const parsed = (await lab.events()).map((line) => parseCowrieEvent(line, context))
  t.notOk(
    parsed.some((event) => 'bad' in event),
    'every line of the decoy can be read',
  )
  return parsed.filter((event): event is DecoyEvent => !('bad' in event)).filter(accept)
}

t.test('it greets as its persona, name for name', async (t) => {
  const { out } = await lab.onAttacker('python3', '-c', readKexInit, lab.decoy)
  const [banner, kex, hostKeys, ciphers, , macs, , compression] = JSON.parse(out)
  const ssh = persona.ssh
  t.same(
    [banner, kex, hostKeys, ciphers, macs, compression],
    [...[ssh?.banner, ssh?.kex, ssh?.hostKeys, ssh?.ciphers, ssh?.macs, ssh?.compression]],
  )
})

/** `ssh ... id` of the attacker, which gives the same password at each prompt. */
function sshSaying(password: string, user: string, ...options: string[]) {
  const asked = `printf '#!/bin/sh\\necho ${password}\\n' > /tmp/ask-${user}; chmod +x /tmp/ask-${user}`
  const ssh = `${asked}; SSH_ASKPASS=/tmp/ask-${user} SSH_ASKPASS_REQUIRE=force DISPLAY=x ssh "$@"`
  const target = ['-o', 'StrictHostKeyChecking=no', `${user}@${lab.decoy}`]
  return lab.onAttacker('sh', '-c', ssh, 'sh', ...options, ...target, 'id')
}

// A refusal takes its seconds: these are tried side by side.
t.test('who gets in', { jobs: 3 }, async (t) => {
  t.test('a password of another is refused, that of the persona opens', async (t) => {
    t.match(await lab.ssh('root', 'toor', 'id'), { code: 5 })
    t.match(await lab.ssh('backup', '', 'id'), { code: 5 })
    t.match(await lab.ssh('root', 'toor!23', 'id'), { code: 0, out: /^uid=0\(root\)/ })
    t.match(await lab.ssh('jmeier', 'Sommer2024', 'id'), { code: 0, out: /^uid=1000\(jmeier\)/ })
  })

  t.test('an account that wants patience opens at the try its persona says, to each source on its own', async (t) => {
    const { code, out } = await sshSaying('Winter2023', 'deploy', '-o', 'NumberOfPasswordPrompts=3')
    t.match({ code, out }, { code: 0, out: /^uid=1002\(deploy\)/ })
    const tries = (await eventsOf((event) => event.username === 'deploy')).map(({ kind, password }) => [kind, password])
    t.same(tries, [
      ['login.failed', 'Winter2023'],
      ['login.success', 'Winter2023'],
    ])
    t.match(await lab.ssh('deploy', 'Winter2023', 'id'), { code: 0 }, 'and stays open to it')
    const elsewhere = lab
      .sshArguments('deploy', 'Winter2023')
      .map((part) => part.replace(lab.attacker, `${lab.name}-other`))
    t.match(await command('docker', [...elsewhere, 'id']), { code: 5 })
  })

  t.test('it hangs up after as many tries as its persona gives', async (t) => {
    const options = ['-o', 'NumberOfPasswordPrompts=9', '-o', 'PubkeyAuthentication=no']
    const { err } = await sshSaying('wrong', 'root', ...options)
    t.match(err, /Too many authentication failures/)
    const [last] = (await eventsOf((event) => event.kind === 'login.failed' && event.password === 'wrong')).slice(-1)
    const tries = await eventsOf((event) => event.kind === 'login.failed' && event.session === last?.session)
    t.equal(tries.length, persona.ssh?.maxAuthTries)
  })
})

t.test('it says yes to a command before it closes the channel', async (t) => {
  const { err } = await lab.ssh('root', 'toor!23', 'true', '-vvv', '-o', 'LogLevel=DEBUG3')
  const [yes, closed] = ['channel_input_status_confirm: type 99', 'rcvd close'].map((text) => err.indexOf(text))
  t.ok(yes !== undefined && closed !== undefined && yes > 0 && yes < closed, `${yes} before ${closed}`)
})

t.test('one source has only as many connections as the limits give it, and as MaxStartups turns away', async (t) => {
  const open = `
import json, socket, sys
held = [socket.create_connection((sys.argv[1], 22), 5) for _ in range(40)]
print(json.dumps([s.recv(64).decode().split("-")[0].strip() for s in held]))`
  const answers: string[] = JSON.parse((await lab.onAttacker('python3', '-c', open, lab.decoy)).out)
  const greeted = answers.filter((answer) => answer === 'SSH').length
  t.ok(
    answers.slice(0, 10).every((answer) => answer === 'SSH'),
    'the first ten are let in',
  )
  t.ok(greeted < 33, `${greeted} were let in`)
  t.ok(answers.includes('Exceeded MaxStartups'), 'and some of the others are told why not')
})

t.test('every command tells of the same machine', async (t) => {
  const line =
    'uname -a; hostname; cat /etc/hostname /etc/os-release; nproc; ps aux; cat /etc/passwd; free; grep -c processor /proc/cpuinfo'
  const { out } = await lab.ssh('root', 'toor!23', line)
  t.match(
    out,
    'Linux db-srv-02 6.1.0-28-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22) x86_64 GNU/Linux\ndb-srv-02\ndb-srv-02\n',
  )
  t.match(out, 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"')
  t.match(out, /\n6\nUSER +PID/)
  t.match(out, /\npostgres +812 .*\/usr\/lib\/postgresql\/15\/bin\/postgres/)
  for (const user of persona.users) t.match(out, `${user.name}:x:${user.uid}:${user.gid}:${user.gecos}:${user.home}:`)
  t.match(out, /\npostgres:x:/, 'who runs a process has an account')
  t.match(out, /Mem: +8146432 /)
  t.notMatch(out, /svr04|phil|nas3/)
  const traces = await lab.ssh('root', 'toor!23', 'ls -a / /home; cat /proc/version /proc/cpuinfo; uptime')
  t.notMatch(traces.out, /dockerenv|phil|Xeon|python/)
  t.match(traces.out, /up \d+ days/)
})

t.test('its address and MAC are those of the wire', async (t) => {
  const { out } = await lab.ssh('root', 'toor!23', 'ifconfig')
  const { out: neighbour } = await lab.onAttacker('ip', 'neigh', 'show', lab.decoy)
  const mac = /lladdr (\S+)/.exec(neighbour)?.[1] ?? 'none'
  t.match(out, `ether ${mac} `)
  t.match(out, `inet ${lab.decoy} `)
})

t.test('what happened is written in order, with the persona it happened to', async (t) => {
  await lab.ssh('jmeier', 'Sommer2024', 'cat /etc/shadow; nosuch --now')
  const mine = await eventually(async () => {
    const [command] = await eventsOf((event) => event.command?.includes('nosuch --now') === true)
    const events = await eventsOf((event) => event.session === command?.session)
    return events.some((event) => event.kind === 'session.close') ? events : undefined
  }, 'the end of the session in the events')
  const kinds = mine.map((event) => event.kind).filter((kind) => kind !== 'other')
  t.same(kinds, [
    ...['session.open', 'client.version', 'client.kex', 'login.success', 'command', 'command.unknown'],
    ...['tty.closed', 'session.close'],
  ])
  t.ok(mine.every((event, index) => index === 0 || event.at >= (mine[index - 1]?.at ?? '')))
  t.ok(mine.every((event) => event.personaVersion === 1 && event.persona === persona.id))
  const tty = mine.find((event) => event.kind === 'tty.closed')
  const log = await readFile(join(lab.folder, 'out/tty', tty?.sha256 ?? ''))
  t.equal(createHash('sha256').update(log).digest('hex'), tty?.sha256, 'a tty log bears the digest of its content')
})

t.test('it fetches from where it may, and nowhere else', async (t) => {
  const fetched = await lab.ssh('root', 'toor!23', `wget -q http://${lab.subnet}.9/a.sh; cat a.sh`)
  t.match(fetched.out, /harmless payload/)
  const [capture] = await eventsOf((event) => event.kind === 'file.download')
  t.match(capture, { url: `http://${lab.subnet}.9/a.sh`, sha256: /^[0-9a-f]{64}$/ })
  t.ok((await readdir(join(lab.folder, 'out/files'))).includes(capture?.sha256 ?? ''))

  const refused = await lab.ssh(
    'root',
    'toor!23',
    `wget http://${lab.subnet}.10/b.sh; curl http://${lab.subnet}.10/c.sh`,
  )
  t.match(refused.err + refused.out, /Network is unreachable/)
  const failed = await eventsOf((event) => event.kind === 'file.download.failed')
  t.same(
    failed.map((event) => event.url),
    ['b.sh', 'c.sh'].map((name) => `http://${lab.subnet}.10/${name}`),
  )
})

t.test('a new persona is seen in a session that stays open', async (t) => {
  const shell = new Shell(lab, 'root', 'toor!23')
  t.teardown(() => shell.close())
  t.match(await shell.until(/root@db-srv-02:~# /), 'Welcome to db-srv-02')
  shell.type('echo mine > /etc/motd; echo kept > /root/note; echo done')
  await shell.until(/\bdone\r?\n.*# /s)

  await lab.control('context.json', { decoy: persona.id, revision: 2 })
  const at = performance.now()
  await lab.control('persona.json', personaOf('web-07', 2))
  await lab.status((status) => status.personaVersion === 2 && status.revision === 2, 'the new persona')
  t.ok(performance.now() - at < 1000, 'within a second')

  shell.type('hostname; cat /etc/hostname /root/note /etc/motd; uname -n; echo end')
  const seen = await shell.until(/\bend\r?\n.*# /s)
  t.match(seen, /web-07\r?\nweb-07\r?\nkept\r?\nmine\r?\nweb-07\r?\nend/)
  t.notMatch(seen, 'db-srv-02')
  const [command] = (await eventsOf((event) => event.command?.startsWith('hostname; cat') === true)).slice(-1)
  t.match(command, { personaVersion: 2 })
})

t.test('a persona that cannot be used is refused, and the one in force stays', async (t) => {
  await lab.control('persona.json', { ...personaOf('evil', 3), users: 'none' })
  const status = await lab.status(({ error }) => error !== undefined, 'a reason')
  t.match(status, { personaVersion: 2, error: /persona\.users/ })
  t.match(await docker('logs', lab.service), /persona\.users/)
  t.match(await lab.ssh('root', 'toor!23', 'hostname'), { out: 'web-07\n' })
  await lab.control('persona.json', personaOf('web-07', 4))
  await lab.status(({ personaVersion, error }) => personaVersion === 4 && error === undefined, 'the good one')
})

t.test('neither container can write its root or has a right', async (t) => {
  await t.rejects(docker('exec', lab.service, 'python3', '-c', 'open("/x", "w")'), /Read-only file system/)
  for (const container of [lab.pod, lab.service]) {
    const pid = await docker('inspect', '-f', '{{.State.Pid}}', container)
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    t.match(status, /CapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t0+\n/)
    t.match(status, /NoNewPrivs:\t1/)
    t.notMatch(status, /Uid:\t0/)
  }
})

t.test('its host keys and the order of its files outlive a restart', async (t) => {
  const keys = async () => (await lab.onAttacker('ssh-keyscan', lab.decoy)).out.trim().split('\n').sort()
  const before = await keys()
  const files = await readdir(join(lab.folder, 'out/events'))
  await docker('restart', '-t', '5', lab.service)
  await eventually(async () => {
    const now = await readdir(join(lab.folder, 'out/events'))
    return now.length > files.length ? now : undefined
  }, 'a new event file')
  await eventually(async () => ((await keys()).length === before.length ? true : undefined), 'the decoy answers again')
  t.equal(before.length, persona.ssh?.hostKeys.length)
  t.same(await keys(), before)
})
