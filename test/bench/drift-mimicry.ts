import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from '../../agent/capture/decode.ts'
import { makeConversations } from '../../agent/capture/index.ts'
import { makePcapReader } from '../../agent/capture/pcap.ts'
import type { Conversation } from '../../agent/mimicry/conversation.ts'
import { type Distance, distancesOf } from '../../agent/mimicry/distances.ts'
import { extractPatterns } from '../../agent/mimicry/patterns.ts'
import { sliceOf } from '../../agent/mimicry/slice.ts'
import type { MimicryPlan } from '../../shared/schemas/mimicry.ts'
import type { Bench } from './row.ts'

const seconds = 40
const [asker, server] = ['198.18.203.1', '198.18.203.2']
const spaces = { asker: 'mimicry-ask', server: 'mimicry-srv' }
const port = 22_022
const pod = join(import.meta.dirname, '../../images/pod')
const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
const inside = (space: keyof typeof spaces, ...command: string[]) => ['netns', 'exec', spaces[space], ...command]

/**
 * Real clients (curl, the system's resolver, OpenSSH) in a network of their own, watched twice; patterns of the first time;
 * what the pod's program makes of them, between two such hosts, captured as well. How far that is from the second time, which
 * the patterns know nothing of, over how far the two real times are from each other: means over all features.
 * Time is compressed: seconds stand for minutes.
 */
export const driftMimicryBench: Bench = {
  names: ['mimicry.distance_ratio', 'mimicry.distance_real', 'mimicry.distance_generated'],
  async run(progress) {
    const folder = await mkdtemp(join(tmpdir(), 'mimicry-'))
    const children: ReturnType<typeof spawn>[] = []
    try {
      await segment(folder, children)
      const real: Conversation[][] = []
      for (const seed of ['first', 'second'])
        real.push(
          await captured(join(folder, `${seed}.pcap`), async () => {
            const users = [
              'python3',
              join(import.meta.dirname, 'mimicry-users.py'),
              String(seconds),
              seed,
              server,
              join(folder, 'key'),
            ]
            await once(spawn('ip', inside('asker', ...users), { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')
          }),
        )
      const [first = [], second = []] = real
      const made = await captured(join(folder, 'made.pcap'), () => generated(folder, first, children), {
        [port]: 'ssh',
      })
      const [between, from] = [distancesOf(first, second), distancesOf(made, second)]
      const pairs = between.flatMap((one) => {
        const other = from.find(({ kind, feature }) => kind === one.kind && feature === one.feature)
        return other ? [{ real: one, made: other }] : []
      })
      for (const { real, made } of pairs) progress(lineOf(real, made))
      const mean = (of: (pair: (typeof pairs)[number]) => number) =>
        pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length
      const [apart, far] = [mean(({ real }) => real.distance), mean(({ made }) => made.distance)]
      progress(`${first.length}, ${second.length} real conversations, ${made.length} made: ${pairs.length} features`)
      const row = { unit: 'distance', better: 'lower', target: null, reference: null } as const
      return [
        { name: 'mimicry.distance_ratio', value: far / apart, unit: 'ratio', better: 'lower', target: 1.25, reference: 1 },
        { name: 'mimicry.distance_real', value: apart, ...row },
        { name: 'mimicry.distance_generated', value: far, ...row, reference: apart },
      ]
    } finally {
      for (const child of children) child.kill('SIGKILL')
      for (const space of Object.values(spaces)) run('sh', '-c', `ip netns del ${space} 2>/dev/null || :`)
      await rm(folder, { recursive: true, force: true })
      await rm(`/etc/netns/${spaces.asker}`, { recursive: true, force: true })
    }
  },
}

const lineOf = (real: Distance, made: Distance): string =>
  `${real.kind} ${real.feature}: two real ${real.distance.toFixed(3)}, made ${made.distance.toFixed(3)} (${real.n}, ${real.m}, ${made.n})` +
  (real.wasserstein === undefined
    ? ''
    : `; Wasserstein ${real.wasserstein.toPrecision(3)}, ${made.wasserstein?.toPrecision(3)}`)

async function segment(folder: string, children: ReturnType<typeof spawn>[]): Promise<void> {
  for (const space of Object.values(spaces)) run('ip', 'netns', 'add', space)
  run('ip', 'link', 'add', 'e0', 'netns', spaces.asker, 'type', 'veth', 'peer', 'name', 'e0', 'netns', spaces.server)
  for (const [space, ip] of [
    [spaces.asker, asker],
    [spaces.server, server],
  ] as const) {
    run('ip', '-n', space, 'addr', 'add', `${ip}/24`, 'dev', 'e0')
    for (const device of ['lo', 'e0']) run('ip', '-n', space, 'link', 'set', device, 'up')
  }
  // `ip netns exec` shows this in place of the machine's own.
  await mkdir(`/etc/netns/${spaces.asker}`, { recursive: true })
  await writeFile(`/etc/netns/${spaces.asker}/resolv.conf`, `nameserver ${server}\n`)
  await writeFile(`/etc/netns/${spaces.asker}/nsswitch.conf`, 'passwd: files\ngroup: files\nhosts: dns\n')
  for (const name of ['key', 'host']) run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name))
  const options = [
    `AuthorizedKeysFile=${folder}/key.pub`,
    'StrictModes=no',
    'UsePAM=no',
    'PidFile=none',
    'PermitRootLogin=yes',
  ]
  const sshd = [
    '/usr/sbin/sshd',
    '-D',
    '-f',
    '/dev/null',
    '-h',
    join(folder, 'host'),
    ...options.flatMap((one) => ['-o', one]),
  ]
  run('mkdir', '-p', '/run/sshd')
  children.push(spawn('ip', inside('server', ...sshd), { stdio: 'ignore' }))
  const program = spawn('ip', inside('server', 'python3', join(import.meta.dirname, 'mimicry-servers.py'), server), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(program)
  await once(program.stdout, 'data')
}

/** Conversations on the wire while `work` goes on. `renamed`: what is on a port there stands for another kind. */
async function captured(
  file: string,
  work: () => Promise<void>,
  renamed: Record<number, string> = {},
): Promise<Conversation[]> {
  const dump = spawn('ip', inside('asker', 'tcpdump', '-i', 'e0', '-U', '-s', '128', '-w', file, 'ip'), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(dump.stderr, 'data')
  await work()
  dump.kill('SIGINT')
  await once(dump, 'exit')
  const conversations = makeConversations()
  let last = 0
  const reader = makePcapReader(({ at, frame }) => {
    const packet = decode(frame)
    if (packet) conversations.add(packet, at)
    last = at
  })
  reader.push(await readFile(file))
  return conversations
    .take(last + 300_000)
    .map((one) => ({ ...one, kind: renamed[Number(one.kind.replace('tcp ', ''))] ?? one.kind }))
    .filter(({ kind }) => ['dns', 'http', 'ssh'].includes(kind))
}

/** The pod's own program on both sides; the patterns' hour is that of now, so that the rates are those of the sample. */
async function generated(folder: string, sample: Conversation[], children: ReturnType<typeof spawn>[]): Promise<void> {
  const begun = sample[0]?.at ?? 0
  const found = extractPatterns(sample, begun, begun + seconds * 1000)
  const patterns = found.map((pattern) => ({ ...pattern, hourly: new Array(24).fill(Math.max(...pattern.hourly)) }))
  const names = ['deb', 'security', 'files.intranet', 'mail', 'wiki'].map((name) => `${name}.lab.example`)
  const bounds = { mostAnHour: 3600, mostBytesAnHour: 1_000_000_000 }
  const settings = {
    seed: 'bench',
    mimicryLevel: 'high',
    instantiations: 1,
    parameterVariation: 0,
    driftThreshold: 100,
  } as const
  const plan: MimicryPlan = {
    ...settings,
    ...bounds,
    targets: [
      { role: 'resolver', ip: server, port: 53, proto: 'udp', names },
      { role: 'updates', ip: server, port: 80, proto: 'tcp', names: names.slice(0, 2) },
      { role: 'peer', ip: server, port, proto: 'tcp', names: [] },
    ],
    patterns: [],
  }
  await writeFile(join(folder, 'ask.json'), JSON.stringify({ ...plan, mostAnHour: 100_000 }))
  await writeFile(
    join(folder, 'answer.json'),
    JSON.stringify({ ...bounds, targets: [], answerOn: { port, peers: [asker] } }),
  )
  const text = `import sys; sys.path.insert(0, '${pod}'); import mimicry; mimicry.have_address(); print(mimicry.text(mimicry.wanted()[0]))`
  const rules = `MARSHLIGHT_MIMICRY_FILE=${folder}/answer.json python3 -c "${text}" | nft -f -`
  run('ip', ...inside('server', 'sh', '-c', rules))
  const begin = (space: keyof typeof spaces, file: string) => {
    const env = { ...process.env, MARSHLIGHT_MIMICRY_FILE: join(folder, file) }
    const child = spawn('ip', inside(space, 'python3', '-IBS', join(pod, 'mimic.py')), {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }
  const other = begin('server', 'answer.json')
  await once(other.stdout, 'data')
  const own = begin('asker', 'ask.json')
  await once(own.stdout, 'data')
  const now = Date.now()
  const { asked } = sliceOf(
    { plan: { ...plan, mostAnHour: 100_000 }, patterns, draws: [0], measured: new Map() },
    now,
    now + seconds * 1000,
  )
  let left = asked.length
  const had = new Promise<void>((resolve) => {
    own.stdout.on('data', (piece: Buffer) => {
      left -= piece.toString().split('"id":').length - 1
      if (left <= 0) resolve()
    })
  })
  own.stdin.write(`${JSON.stringify({ slice: asked })}\n`)
  await had
  for (const child of [own, other]) child.stdin.end()
}
