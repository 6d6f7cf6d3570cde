import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeDecoyCapture } from '../../agent/capture/decoy-capture.ts'
import { startDump } from '../../agent/capture/dump.ts'
import { decode, numberOf } from '../../agent/capture/index.ts'
import { makePcapReader } from '../../agent/capture/pcap.ts'
import { makeRing } from '../../agent/capture/ring.ts'
import { readPieces, ringFiles } from '../../agent/capture/ring-files.ts'
import { systemClock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import { seededRandom } from '../../shared/random.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import { tempFolder } from '../unit/spool/records.ts'
import { run } from './namespace-segment.ts'

const decoy = '198.18.46.20'
const port = 161

/** Says nothing, and takes what comes, so that nothing but what is sent to it goes over its card. */
const sink = `
import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('${decoy}', ${port}))
print('ready', flush=True)
signal.pause()
`
/** Numbered datagrams as fast as they go. */
const flood = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    s.sendto(struct.pack('>I', number) + b'x' * 1200, ('${decoy}', ${port}))
`

t.setTimeout(60_000)

t.test('what was not captured is counted, to the packet', async (t) => {
  const [place, neighbour] = await twoNamespaces(t)
  const cardCounts = async () =>
    Number(await run('ip', 'netns', 'exec', place, 'cat', '/sys/class/net/eth0/statistics/rx_packets'))

  const pod = spawn('ip', ['netns', 'exec', place, 'python3', '-c', sink], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => pod.kill('SIGKILL'))
  await once(pod.stdout, 'data')
  const folder = join(await tempFolder(t), 'ring')
  const log = makeLog('missed-lab', 'silent')
  const ring = makeRing({ folder, clock: systemClock, log }, () => ({ bytes: 256 * 1_048_576, hours: 1 }))
  const windows: FeatureWindow[] = []
  const capture = makeDecoyCapture({
    ...{ decoy: '01920000-0000-7000-8000-00000000000a', address: numberOf(decoy), ports: new Map([[port, 'snmp']]) },
    ...{ ring, random: seededRandom('missed'), pseudonym: () => 'one', clock: systemClock, log, drift: undefined },
    startDump,
    onWindows: (more) => void windows.push(...more),
    onEnd: () => undefined,
  })
  t.teardown(() => capture.stop())
  await capture.follow({ decoy: '', run: 'one', pid: pod.pid as number } as Parameters<typeof capture.follow>[0])
  const tick = async () => void windows.push(...(await capture.tick()))
  const inRing = async () => {
    const numbers = new Set<number>()
    await ring.settled()
    for (const { path } of await ringFiles(folder)) {
      const reader = makePcapReader(({ frame }) => {
        const seen = decode(frame)
        if (seen?.targetPort === port) numbers.add(seen.payload.readUInt32BE(0))
      })
      await readPieces(path, reader)
    }
    return numbers
  }
  let sent = 0
  const send = async (count: number) => {
    await run('ip', 'netns', 'exec', neighbour, 'python3', '-c', flood, String(sent), String(sent + count))
    sent += count
  }
  const missed = () =>
    windows
      .filter(({ subject }) => subject.kind === 'decoy' && subject.port === port)
      .reduce((sum, window) => sum + window.missed, 0)

  while ((await inRing()).size === 0) await send(1)
  // What is sent from here on: while it began there were some that nobody was asked to look at.
  const before = { card: await cardCounts(), sent }
  const pid = capture.pid() as number
  process.kill(pid, 'SIGSTOP')
  await send(8000)
  t.equal((await cardCounts()) - before.card, sent - before.sent, 'nothing else goes over its card')
  process.kill(pid, 'SIGCONT')
  await tick()
  const first = missed()
  t.ok(first > 1000 && first < sent, `a window tells ${first} of ${sent} packets that the kernel had no room for`)

  // Ends while packets wait in the kernel's buffer: nobody will read them.
  process.kill(pid, 'SIGSTOP')
  await send(1000)
  const stopped = capture.stop()
  process.kill(pid, 'SIGCONT')
  await stopped
  const captured = [...(await inRing())].filter((number) => number >= before.sent).length
  const since = sent - before.sent
  t.ok(missed() > first, 'the last window tells of those that waited')
  t.equal(captured + missed(), since, `${captured} captured and ${missed()} missed of ${since} sent`)
})

/** A card `eth0` each, joined, and nobody who asks for addresses, routers or names: only what is sent goes over them. */
async function twoNamespaces(t: Test): Promise<[string, string]> {
  const names = ['dec', 'one'].map((name) => `mis${process.pid}-${name}`) as [string, string]
  for (const name of names) {
    await run('ip', 'netns', 'add', name)
    t.after(() => run('ip', 'netns', 'del', name))
    await run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1')
  }
  const [place, other] = names
  const mac = '52:54:00:46:00:20'
  const pair = ['type', 'veth', 'peer', 'name', 'eth0', 'netns', other]
  await run('ip', '-n', place, 'link', 'add', 'eth0', 'address', mac, ...pair)
  await run('ip', '-n', place, 'address', 'add', `${decoy}/24`, 'dev', 'eth0')
  await run('ip', '-n', other, 'address', 'add', '198.18.46.10/24', 'dev', 'eth0')
  for (const name of names) await run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
  await run('ip', '-n', other, 'neigh', 'replace', decoy, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent')
  return [place, other]
}
