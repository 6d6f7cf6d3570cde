import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Examined } from '../../agent/cli/checks/examine.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { makeSegment, namespace, printed, run, type Segment, spawnIn } from './namespace-segment.ts'

const runner = join(import.meta.dirname, 'doctor-runner.ts')
const own = '02:00:00:0d:00:02'

/** Nearly all of a look is waiting for answers that do not come: the tests wait side by side, each on segments of its own. */
t.setTimeout(120_000)
t.jobs = 6
const atOnce = { buffered: true }

/** What the doctor finds in a namespace, by the names of its checks. */
async function look(space: string, names: string[], controller: { host?: string; port?: number } = {}) {
  const argument = JSON.stringify({ names, ...controller })
  const found = JSON.parse(await run('ip', 'netns', 'exec', space, process.execPath, runner, argument)) as Examined[]
  return Object.fromEntries(found.map((one) => [one.name, one]))
}

/** A segment with this box on it, plugged in first, so that its port of the bridge is port0. */
async function boxOn(t: Test, label: string): Promise<{ segment: Segment; box: string }> {
  const segment = await makeSegment(t, `doctor-${label}`)
  return { segment, box: await segment.host('box', '198.18.40.2/24', own) }
}

const via = (box: string, gateway = '198.18.40.1') => run('ip', '-n', box, 'route', 'add', 'default', 'via', gateway)

/** Real name servers and DHCP servers. */
async function dnsmasq(space: string, ...options: string[]): Promise<void> {
  const always = [
    '--no-daemon',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--user=root',
    '--log-facility=-',
  ]
  await printed(spawnIn(space, 'dnsmasq', ...always, ...options), /started/)
}
const givesOut = (space: string, router: string) =>
  dnsmasq(
    space,
    '--port=0',
    '--no-ping',
    '--leasefile-ro',
    '--dhcp-range=198.18.40.100,198.18.40.200,255.255.255.0,1h',
    `--dhcp-option=3,${router}`,
  )

/** The name servers of a namespace, as `ip netns exec` lays them over /etc. */
async function resolvers(t: Test, space: string, ...servers: string[]): Promise<void> {
  const folder = join('/etc/netns', space)
  await mkdir(folder, { recursive: true })
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'resolv.conf'), servers.map((ip) => `nameserver ${ip}\n`).join(''))
}

t.test('no card, no cable, a card switched off, no address, and what fails by it', atOnce, async (t) => {
  const bare = await namespace(t, `doctor-bare${process.pid}`)
  t.match(await look(bare, ['cable', 'address', 'DHCP']), {
    cable: { ok: false, detail: /no network card/, next: /adapter/ },
    address: { ok: false, follows: 'cable' },
    DHCP: { ok: false, follows: 'cable' },
  })
  await run('ip', '-n', bare, 'link', 'add', 'seg0', 'type', 'veth', 'peer', 'name', 'veth9')
  t.match(await look(bare, ['cable']), { cable: { ok: false, detail: /switched off/ } })
  await run('ip', '-n', bare, 'link', 'set', 'seg0', 'up')
  t.match(await look(bare, ['cable']), { cable: { ok: false, detail: /no signal on seg0/, next: /clicks/ } })
  await run('ip', '-n', bare, 'link', 'set', 'veth9', 'up')
  t.match(await look(bare, ['cable', 'address']), {
    cable: { ok: true },
    address: { ok: false, detail: /gave out one/, next: /DHCP/ },
  })
})

t.test('no gateway, a silent one, two of them; an address that another has too', atOnce, async (t) => {
  const { segment, box } = await boxOn(t, 'gw')
  t.match(await look(box, ['gateway', 'switch port'], { host: '198.18.99.1' }), {
    gateway: { ok: false, detail: /no way out/ },
    'switch port': { ok: true, detail: /could not be tried/ },
  })
  t.match(await look(box, ['gateway'], { host: '198.18.40.9' }), { gateway: { ok: true, detail: /none is needed/ } })
  await via(box)
  t.match(await look(box, ['gateway']), { gateway: { ok: false, detail: /does not answer on seg0/ } })
  await segment.host('gate', '198.18.40.1/24')
  t.match(await look(box, ['address', 'gateway']), { address: { ok: true }, gateway: { ok: true } })
  await segment.host('spy', '198.18.40.1/24')
  await segment.host('twin', '198.18.40.2/24', '02:00:00:0d:00:99')
  t.match(await look(box, ['address', 'gateway']), {
    address: { ok: false, detail: /02:00:00:0d:00:99/, next: /another address/ },
    gateway: { ok: false, follows: 'address', detail: /2 devices say/ },
  })
})

t.test('one DHCP server, two that agree, and one that somebody brought', atOnce, async (t) => {
  /** Servers on a segment of their own, each with the gateway that it tells of. */
  const hears = async (label: string, servers: Record<number, string>) => {
    const { segment, box } = await boxOn(t, label)
    for (const [last, router] of Object.entries(servers))
      await givesOut(await segment.host(`dhcp${last}`, `198.18.40.${last}/24`), router)
    return (await look(box, ['DHCP'])).DHCP
  }
  const own = '198.18.40.1'
  const [none, one, two, brought] = await Promise.all([
    hears('none', {}),
    hears('one', { 1: own }),
    hears('two', { 1: own, 3: own }),
    hears('brought', { 1: own, 66: '198.18.40.66' }),
  ])
  t.match(none, { ok: true, detail: /nobody gives out/, next: undefined })
  t.match(one, { ok: true, detail: /^198\.18\.40\.1 .*gives out/, next: undefined })
  t.match(two, { ok: true, detail: /2 devices .*agree/, next: /theirs/ })
  t.match(brought, { ok: false, detail: /2 devices .*198\.18\.40\.66/, next: /Unplug/ })
})

t.test('a switch that lets only one MAC through, and tagged frames on the line', atOnce, async (t) => {
  const { segment, box } = await boxOn(t, 'port')
  const gate = await segment.host('gate', '198.18.40.1/24')
  await via(box)
  const end = tagged(gate, [20, 30])
  const told = await look(box, ['switch port', 'VLANs'])
  end()
  t.match(told, {
    'switch port': { ok: true, detail: /let through: 198\.18\.40\.1 answered/ },
    VLANs: { ok: true, detail: /VLAN 20, 30/, next: /untagged/ },
  })
  // As a switch does it: only what its table has for this port may come in by it.
  await run('bridge', '-n', segment.bridge, 'link', 'set', 'dev', 'port0', 'learning', 'off', 'locked', 'on')
  await run('bridge', '-n', segment.bridge, 'fdb', 'replace', own, 'dev', 'port0', 'master', 'static')
  t.match(await look(box, ['gateway', 'switch port']), {
    gateway: { ok: true },
    'switch port': { ok: false, detail: /only this box's own address/, next: /port security/ },
  })
  const left = await run('ip', '-n', box, '-o', 'link')
  t.notMatch(left, /marsh-doctor/)
})

t.test(
  'an address of a decoy on the same card is never taken, though the card itself cannot hear it',
  atOnce,
  async (t) => {
    const segment = await makeSegment(t, 'doctor-full')
    const box = await segment.host('box', '198.18.40.2/29', own)
    await segment.host('gate', '198.18.40.1/29')
    await via(box)
    for (const last of [4, 5, 6])
      await segment.macvlan(`d${last}`, box, `198.18.40.${last}/29`, `02:00:00:0d:01:0${last}`)
    t.match(await look(box, ['switch port']), { 'switch port': { ok: false, detail: /no free address/ } })
  },
)

/** Frames with a tag each, as a trunk carries them, until it is ended, a minute at most. */
function tagged(space: string, numbers: number[]): () => void {
  const script = `
import socket, struct, sys, time
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
line.bind(("seg0", 0))
for _ in range(300):
    for number in ${JSON.stringify(numbers)}:
        head = bytes.fromhex("ffffffffffff02000000aa01") + struct.pack("!HHH", 0x8100, number, 0x88b5)
        line.send(head + bytes(46))
    time.sleep(0.2)
`
  const child = spawnIn(space, 'python3', '-c', script)
  return () => child.kill('SIGKILL')
}

t.test('name servers that are silent, ignorant, false or blocking, and one that is right', atOnce, async (t) => {
  const { segment, box } = await boxOn(t, 'dns')
  const server = async (last: number, ...options: string[]) =>
    dnsmasq(await segment.host(`ns${last}`, `198.18.40.${last}/24`), ...options)
  await server(11, '--host-record=ctl.example,198.18.40.77', '--local=/#/')
  await server(12, '--local=/#/')
  await server(13, '--address=/#/198.18.40.13')
  await server(14, '--address=/ctl.example/0.0.0.0', '--local=/#/')
  const ask = async (...last: number[]) => {
    await resolvers(t, box, ...last.map((one) => `198.18.40.${one}`))
    return (await look(box, ['name lookup'], { host: 'ctl.example' }))['name lookup']
  }
  t.match(await ask(), { ok: false, detail: /told no name server/ })
  t.match(await ask(10), { ok: false, detail: /no name server answers: 198\.18\.40\.10/ })
  t.match(await ask(11), { ok: true, detail: /ctl\.example is 198\.18\.40\.77/ })
  t.match(await ask(10, 11), { ok: true, detail: /198\.18\.40\.10 does not/ })
  t.match(await ask(12), { ok: false, detail: /knows no ctl\.example/ })
  t.match(await ask(13), { ok: false, detail: /leads every name to 198\.18\.40\.13/, next: /log-in/ })
  await server(15)
  t.match(await ask(15), { ok: false, detail: /cannot find out names/ })
  t.match(await ask(14), { ok: false, detail: /leads ctl\.example nowhere/ })
})

t.test('a network that wants a log-in, and a controller that is shut off', atOnce, async (t) => {
  const { segment, box } = await boxOn(t, 'page')
  const gate = await segment.host('gate', '198.18.40.1/24')
  await via(box)
  const reach = async (port: number) => (await look(box, ['controller'], { host: '198.18.99.1', port })).controller
  // As such a gateway does it: it takes every address for its own, and answers its web port alone.
  await run('ip', '-n', gate, 'address', 'add', '198.18.99.1/32', 'dev', 'lo')
  t.match(await reach(8883), { ok: false, step: 'TCP', detail: /turns this box away/ })
  const page = `
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", "http://198.18.40.1/welcome")
        self.end_headers()
print("up", flush=True)
http.server.HTTPServer(("0.0.0.0", 80), Page).serve_forever()
`
  await printed(spawnIn(gate, 'python3', '-u', '-c', page), /up/)
  t.match(await reach(8883), { ok: false, step: 'TCP', detail: /log-in first.*http:\/\/198\.18\.40\.1/ })
  // Others take every TLS connection, too, with a certificate of their own.
  const own = join(await tempFolder(t), 'own')
  await run(
    'openssl',
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'.split(' '),
    ...['-subj', '/CN=portal', '-keyout', `${own}.key`, '-out', `${own}.pem`],
  )
  const portal = spawnIn(
    gate,
    'openssl',
    's_server',
    '-accept',
    '198.18.99.1:8883',
    '-key',
    `${own}.key`,
    '-cert',
    `${own}.pem`,
    '-www',
  )
  await printed(portal, /ACCEPT/)
  t.match(await reach(8883), { ok: false, step: 'TLS', detail: /log-in first/ })
})
