import { networkInterfaces } from 'node:os'
import t from 'tap'
import { docker } from '../simulation/lab/docker.ts'
import { down, labName, up } from '../simulation/lab/index.ts'

t.setTimeout(300_000)
const name = labName(`topology ${process.pid}`)
t.teardown(() => down(name))

const wanted = ['gateway', 'appliance-a', 'web-01', 'db-01', 'ber-fs-001', 'attacker-outside']
const lab = await up({ name, agents: 'engine', only: (machine) => wanted.includes(machine.name) })
const { ip: web } = lab.machine('web-01')
const { ip: fileServer } = lab.machine('ber-fs-001')

/** Waits for a port with the shell of a machine that is there anyway; gives whether it opened within 30 s. */
async function opens(from: string, ip: string, port: number): Promise<boolean> {
  const loop = `until (exec 3<>/dev/tcp/${ip}/${port}) 2>/dev/null; do sleep 0.1; done`
  return (await lab.exec(from, ['bash', '-c', loop], { timeoutMs: 30_000 })).code === 0
}

t.test('hosts of a segment and of the others reach each other, through the gateway', async (t) => {
  t.ok(await opens('db-01', web, 80), 'a neighbour reaches the web server')
  t.ok(await opens('web-01', fileServer, 445), 'the other segment is reached')
  t.ok(await opens('attacker-outside', web, 22), 'an attacker outside reaches a host')
  const route = await lab.exec('web-01', ['ip', 'route', 'get', fileServer])
  t.match(route.stdout, `via ${lab.segments.find((segment) => segment.name === 'seg-a')?.gateway}`)
})

t.test('every host opens the ports that its services have', async (t) => {
  for (const host of lab.hosts())
    for (const port of host.ports) t.ok(await opens('gateway', host.ip, port), `${host.name} ${port}`)
})

t.test('nothing leads out of the lab', async (t) => {
  // TEST-NET-1 stands for the world, the other for this machine. Written so that no address stands in the command:
  // an attacker's command that names one is refused before it runs, which the next test shows.
  const outside = ['192.0.2.1', addressOfThisMachine()]
  const tries = ['gateway', 'web-01', 'appliance-a', 'attacker-outside'].flatMap((machine) =>
    outside.map(async (ip) => {
      const knock = `exec 3<>/dev/tcp/${ip.split('.').join('$(echo .)')}/80`
      const { code, stderr } = await lab.exec(machine, ['bash', '-c', knock], { timeoutMs: 4_000 })
      t.not(code, 0, `${machine} does not reach ${ip}`)
      t.notMatch(stderr, /refused/, 'not even a refusal comes back')
    }),
  )
  await Promise.all(tries)
})

t.test('an attacker’s command that names a target outside is refused', async (t) => {
  await t.rejects(lab.exec('attacker-outside', ['nmap', '192.0.2.0/24']), { code: 'TARGET_OUTSIDE' })
  await t.rejects(
    lab.exec('attacker-outside', ['nmap', '198.16.0.0/12']),
    { code: 'TARGET_OUTSIDE' },
    'wider than the lab',
  )
})

t.test(
  'a container of an appliance’s own engine stands on the segment with an address and MAC of its own',
  async (t) => {
    const engine = (...argv: string[]) => lab.exec('appliance-a', ['docker', ...argv])
    const ready = 'until [ "$(docker info -f "{{.Driver}}" 2>/dev/null)" = overlay2 ]; do sleep 0.2; done'
    t.equal((await lab.exec('appliance-a', ['sh', '-c', ready])).code, 0, 'the appliance runs an engine')
    t.equal(
      (
        await lab.exec('appliance-a', [
          'sh',
          '-c',
          'tar -C / -c --ignore-failed-read bin lib lib64 usr/bin usr/lib64 usr/lib/*-linux-gnu* 2>/dev/null | docker import - decoy',
        ])
      ).code,
      0,
    )
    const { cidr } = lab.segments.find((segment) => segment.name === 'seg-a') ?? { cidr: '' }
    const ip = web.replace(/\d+$/, '150')
    const mac = '3c:d9:2b:aa:bb:cc'
    const network = await engine(
      'network',
      'create',
      '-d',
      'macvlan',
      '-o',
      'parent=eth0',
      `--subnet=${cidr}`,
      'decoys',
    )
    t.equal(network.code, 0, network.stderr)
    const decoy = await engine(
      'run',
      '-d',
      '--network=decoys',
      `--ip=${ip}`,
      `--mac-address=${mac}`,
      'decoy',
      'sleep',
      '300',
    )
    t.equal(decoy.code, 0, decoy.stderr)
    const probe = `(exec 3<>/dev/tcp/${ip}/9) 2>&1; ip neigh show ${ip}`
    const seen = await lab.exec('web-01', ['bash', '-c', probe])
    t.match(seen.stdout, /refused/, 'the decoy answers for itself')
    t.match(seen.stdout, mac, 'the neighbour sees the MAC it was given')
  },
)

t.test('it is taken away without a trace', async (t) => {
  await lab.down()
  for (const list of [
    ['ps', '-a'],
    ['network', 'ls'],
    ['volume', 'ls'],
  ]) {
    t.notMatch(await docker(...list, '--format', '{{json .}}'), name, list.join(' '))
  }
})

function addressOfThisMachine(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find((each) => each.family === 'IPv4' && !each.internal)?.address ?? '192.0.2.2'
}

t.test('who breaks off while the machines start leaves nothing', async (t) => {
  const name = labName(`broken off ${process.pid}`)
  t.teardown(() => down(name))
  const halt = new AbortController()
  const started: string[] = []
  const progress = (what: string) => {
    started.push(what)
    // Networks come first; with the second machine, others are being made at the same time.
    if (started.length === 3) halt.abort(new Error('broken off'))
  }
  await t.rejects(up({ name, agents: 'engine', signal: halt.signal, progress }), { message: 'broken off' })
  t.ok(started.length < 8, `of all machines ${started.length} were begun`)
  const label = `label=marshlight.lab=${name}`
  t.equal(await docker('ps', '-aq', '--filter', label), '')
  t.equal(await docker('network', 'ls', '-q', '--filter', label), '')
  t.equal(await docker('volume', 'ls', '-q', '--filter', `name=^${name}-`), '')
})
