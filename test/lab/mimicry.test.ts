import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { decode, numberOf, tcp } from '../../agent/capture/decode.ts'
import { makePcapReader } from '../../agent/capture/pcap.ts'
import { podName } from '../../agent/decoys/index.ts'
import { makeMimicry } from '../../agent/mimicry/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import type { DesiredDecoy } from '../../shared/schemas/desired-state.ts'
import type { MimicryPlan, MimicryReport, TrafficPattern } from '../../shared/schemas/mimicry.ts'
import { decoyOf, makeAppliance, planOf, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

t.setTimeout(170_000)
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

/** About one a second of each kind, so that a few seconds show what hours would. */
const shape = (kind: string, exchanges: number, request: number[], response: number[]): TrafficPattern => ({
  kind,
  hourly: new Array(24).fill(3600),
  burst: 0.99,
  gapMs: [400, 700, 1000, 1300, 1600],
  exchanges: [exchanges],
  classes: [{ share: 1, request, response, pauseMs: [2, 5, 9] }],
  n: 100,
})
const patterns = [
  shape('dns', 1, [32, 40], [80]),
  shape('http', 2, [150], [300, 9000]),
  shape('ssh', 3, [60, 90], [700, 4000]),
  shape('ntp', 1, [48], [48]),
]

t.test('decoys talk to what the plan names and to each other, and to nobody else; nobody else sees it', async (t) => {
  const segment = makeSegment(t)
  const { agent, engine, reported, decoys } = await makeAppliance(t, segment)
  const beside = segment.cidr.replace('0/24', '9')
  await servers(t, segment.namespace, beside)
  const both = [decoyOf(segment, 20, 'attic-nas'), decoyOf(segment, 21, 'cellar-db')] as [DesiredDecoy, DesiredDecoy]
  const port = 23_456
  const withMimicry = both.map((decoy, i) => ({
    ...decoy,
    mimicry: planFor(both[1 - i] as DesiredDecoy, beside, port),
  }))
  let plan = planOf(agent, 1, withMimicry)
  const reports: MimicryReport[] = []
  let told = () => {}
  const mimicry = makeMimicry({
    engine,
    report: async (_, some) => {
      reports.push(...(some as unknown as MimicryReport[]))
      told()
    },
    clock: systemClock,
    log: makeLog('mimicry-lab', process.env.LAB_LOG ? 'debug' : 'silent'),
    subjects: () => {
      const atRest = new Set(decoys.standing().map(({ decoy }) => decoy))
      return plan.decoys.flatMap(({ id, cidr, mimicry }) =>
        mimicry
          ? [
              {
                decoy: id,
                pod: podName(id),
                cidr,
                plan: mimicry,
                agent: 'Debian APT-HTTP/1.3 (2.6.1)',
                atRest: atRest.has(id),
              },
            ]
          : [],
      )
    },
    seen: () => [],
    lookEveryMs: 200,
    sliceMs: 20_000,
    reportEveryMs: 1000,
  })
  t.teardown(() => mimicry.stop())
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(plan)
  await reported(settled(1))
  const capture = await capturing(t, podName(both[0].id))
  await mimicry.start(new AbortController().signal)

  const count = (of: keyof Pick<MimicryReport, 'done' | 'failed' | 'bounded'>, decoy: string) =>
    reports.filter((one) => one.decoy === decoy).reduce((sum, one) => sum + one[of], 0)
  while (both.some(({ id }) => count('done', id) < 12)) await new Promise<void>((resolve) => (told = resolve))
  for (const { id } of both) t.equal(count('failed', id), 0, 'each conversation was had')
  const away = reports.filter(({ moved }) => moved && moved.of !== 'pause')
  t.strictSame(away, [], 'and is what was asked, but for a busy machine')

  for (const scan of ['-sS', '-sF', '-sN', '-sA']) {
    const said = segment.onNeighbour('nmap', '-n', '-Pn', scan, '-p', `${port},${port + 1}`, '--reason', both[0].ip)
    const [own, other] = [port, port + 1].map((one) =>
      new RegExp(`^${one}/tcp +([a-z|]+) +[^ ]+ +(.*)$`, 'm').exec(said)?.slice(1).join(' '),
    )
    t.ok(own && own === other, `${scan}: ${own}, and ${other}`)
  }
  const arping = segment.onNeighbour('sh', '-c', 'arping -c 1 -w 1 -I h0 192.0.0.8 || :')
  t.match(arping, /Received 0 response/, 'no neighbour finds the address that answers listen on')

  const tries = `import socket
for kind, port in ((socket.SOCK_DGRAM, 53), (socket.SOCK_STREAM, 80)):
    try:
        s = socket.socket(socket.AF_INET, kind); s.settimeout(1); s.connect(('${beside}', port)); s.send(b'x'); print('left')
    except OSError as error:
        print(type(error).__name__)`
  const inside = await engine.exec(`marshlight-${both[0].id}-cowrie`, ['python3', '-IBS', '-c', tries])
  t.notMatch(inside.output, /left/, `a service may not go where mimicry goes: ${inside.output}`)
  t.match(await engine.exec(podName(both[0].id), ['marshlight-pod', 'verify']), { exitCode: 0 })

  plan = planOf(agent, 2, both)
  mimicry.wake()
  decoys.applyPlan(plan)
  await reported(settled(2))
  for (const { id } of both)
    t.notMatch(run('docker', 'top', podName(id), '-o', 'pid,args'), /mimic/, 'the process is gone')
  t.match(await engine.exec(podName(both[0].id), ['marshlight-pod', 'verify']), { exitCode: 0 })
  const after = Date.now()
  // What comes now is the end of all that is looked at.
  segment.onNeighbour('arping', '-c', '2', '-I', 'h0', both[0].ip)
  const packets = await capture.stop()

  const own = numberOf(both[0].ip)
  const began = packets.filter(({ segment }) => segment.source === own)
  const places = new Map<string, number>()
  for (const { segment: one } of began) {
    const proto = one.protocol === tcp ? 'tcp' : one.protocol === 17 ? 'udp' : `protocol ${one.protocol}`
    const isAnswer = one.sourcePort === port || one.protocol === 1
    // What a scan of the neighbour got back.
    if (isAnswer || (one.protocol === tcp && one.flags & 4 && one.sourcePort === port + 1)) continue
    const place = `${one.target === numberOf(beside) ? 'beside' : one.target === numberOf(both[1].ip) ? 'peer' : one.target} ${proto} ${one.targetPort}`
    places.set(place, (places.get(place) ?? 0) + 1)
  }
  t.strictSame(
    [...places.keys()].sort(),
    ['beside tcp 80', 'beside udp 123', 'beside udp 53', `peer tcp ${port}`],
    JSON.stringify([...places]),
  )
  t.strictSame(
    packets.filter(({ at, segment: one }) => at > after && one.protocol !== 1),
    [],
    'nothing leaves once it is off',
  )
})

function planFor(peer: DesiredDecoy, beside: string, port: number): MimicryPlan {
  return {
    seed: peer.id,
    mimicryLevel: 'high',
    instantiations: 2,
    parameterVariation: 0.1,
    driftThreshold: 100,
    mostAnHour: 3000,
    mostBytesAnHour: 100_000_000,
    targets: [
      { role: 'resolver', ip: beside, port: 53, proto: 'udp', names: ['deb.example', 'files.example'] },
      { role: 'updates', ip: beside, port: 80, proto: 'tcp', names: ['deb.example'] },
      { role: 'clock', ip: beside, port: 123, proto: 'udp', names: [] },
      { role: 'peer', ip: peer.ip, port, proto: 'tcp', names: [] },
    ],
    answerOn: { port, peers: [peer.ip] },
    patterns,
  }
}

/** A resolver, a clock and a web server with a few lists of an archive, in the neighbour's namespace. */
async function servers(t: Test, namespace: string, ip: string): Promise<void> {
  const program = `
import http.server, socket, threading, sys
class Archive(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        body = b'x' * (9000 if 'InRelease' in self.path else 60000)
        self.send_response(304 if self.headers['If-Modified-Since'] else 200)
        if self.headers['If-Modified-Since']: self.end_headers(); return
        self.send_header('Content-Length', str(len(body))); self.send_header('Last-Modified', 'Mon, 02 Mar 2026 10:00:00 GMT')
        self.end_headers()
        if self.command == 'GET': self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *args): pass
web = http.server.ThreadingHTTPServer(('${ip}', 80), Archive)
threading.Thread(target=web.serve_forever, daemon=True).start()
dns, ntp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
dns.bind(('${ip}', 53)); ntp.bind(('${ip}', 123))
def clock():
    while True:
        query, asker = ntp.recvfrom(512)
        ntp.sendto(b'\\x24' + query[1:], asker)
threading.Thread(target=clock, daemon=True).start()
print('ready', flush=True)
while True:
    query, asker = dns.recvfrom(4096)
    dns.sendto(query[:2] + b'\\x81\\x83' + query[4:], asker)
`
  const server = spawn('ip', ['netns', 'exec', namespace, 'python3', '-c', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(async () => {
    server.kill()
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  })
  await once(server.stdout, 'data')
}

/** All IPv4 that a pod's card sees: what goes to another decoy never leaves the kernel, so only here all of it is seen. */
async function capturing(t: Test, pod: string) {
  const folder = await mkdtemp(join(tmpdir(), 'mimicry-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'all.pcap')
  const pid = run('docker', 'inspect', '-f', '{{.State.Pid}}', pod)
  const dump = spawn('nsenter', ['-t', pid, '-n', 'tcpdump', '-i', 'eth0', '-U', '-w', file, 'ip'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => dump.kill())
  await once(dump.stderr, 'data')
  return {
    async stop() {
      dump.kill('SIGINT')
      await once(dump, 'exit')
      const packets: { at: number; segment: NonNullable<ReturnType<typeof decode>> }[] = []
      const reader = makePcapReader(({ at, frame }) => {
        const segment = decode(frame)
        if (segment) packets.push({ at, segment })
      })
      reader.push(await readFile(file))
      return packets
    },
  }
}
