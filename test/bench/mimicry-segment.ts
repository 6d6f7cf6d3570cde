import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from '../../agent/capture/decode.ts'
import { makeConversations } from '../../agent/capture/index.ts'
import { makePcapReader } from '../../agent/capture/pcap.ts'
import type { Conversation } from '../../agent/mimicry/conversation.ts'
import { handshakeOf } from '../../agent/mimicry/one-decoy.ts'
import type { Pattern } from '../../agent/mimicry/patterns.ts'
import { sliceOf } from '../../agent/mimicry/slice.ts'
import type { MimicryPlan } from '../../shared/schemas/mimicry.ts'

export const [asker, server] = ['198.18.203.1', '198.18.203.2']
const spaces = { asker: 'mimicry-ask', server: 'mimicry-srv' }
/** Where peers answer, by the kind that they have there. */
const peerPorts: Record<number, string> = { 22022: 'ssh', 24443: 'https' }
export const kinds = ['dns', 'http', 'https', 'ssh']
const pod = join(import.meta.dirname, '../../images/pod')
const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
const inside = (space: keyof typeof spaces, ...command: string[]) => ['netns', 'exec', spaces[space], ...command]

/**
 * A network of two hosts, with servers on one: real clients on the other (curl with the system's resolver, OpenSSH), or the
 * pod's program on both. Either is watched by tcpdump from outside, and read by the agent's own capture.
 */
export async function makeMimicrySegment() {
  const folder = await mkdtemp(join(tmpdir(), 'mimicry-'))
  const children = new Set<ReturnType<typeof spawn>>()
  const begin = (space: keyof typeof spaces, command: string[], env: NodeJS.ProcessEnv = {}) => {
    const child = spawn('ip', inside(space, ...command), {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }

  async function open(): Promise<void> {
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
    // A server has the three keys that Debian makes; the client one.
    const types = ['ed25519', 'ecdsa', 'rsa']
    for (const type of types) run('ssh-keygen', '-q', '-t', type, '-N', '', '-f', join(folder, type))
    run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key'))
    const keys = [`AuthorizedKeysFile=${folder}/key.pub`, 'PermitRootLogin=yes']
    const options = [...keys, 'StrictModes=no', 'UsePAM=no', 'PidFile=none'].flatMap((one) => ['-o', one])
    run('mkdir', '-p', '/run/sshd')
    const hostKeys = types.flatMap((type) => ['-h', join(folder, type)])
    begin('server', ['/usr/sbin/sshd', '-D', '-f', '/dev/null', ...hostKeys, ...options])
    const tls = ['-keyout', join(folder, 'tls.key'), '-out', join(folder, 'tls.pem'), '-subj', '/CN=files.lab.example']
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...tls)
    const program = begin('server', ['python3', join(import.meta.dirname, 'mimicry-servers.py'), server, folder])
    await once(program.stdout, 'data')
  }

  /** A capture file of the wire while `work` goes on, with so many bytes of each packet. */
  async function captured(name: string, work: () => Promise<void>, most = 128): Promise<string> {
    const file = join(process.env.MIMICRY_KEEP ?? folder, `${name}.pcap`)
    const dump = spawn('ip', inside('asker', 'tcpdump', '-i', 'e0', '-U', '-s', `${most}`, '-w', file, 'ip'), {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await once(dump.stderr, 'data')
    await work()
    dump.kill('SIGINT')
    await once(dump, 'exit')
    return file
  }
  async function realClients(seconds: number, seed: string): Promise<void> {
    const users = join(import.meta.dirname, 'mimicry-users.py')
    await once(begin('asker', ['python3', users, String(seconds), seed, server, join(folder, 'key')]), 'exit')
  }

  return {
    open,
    /** Real clients, for so many seconds. */
    real: async (seconds: number, seed: string): Promise<Conversation[]> =>
      conversationsOf(await captured(`real-${seed}`, () => realClients(seconds, seed))),
    /** Whole frames of real clients and their servers. */
    async frames(seconds: number): Promise<Buffer[]> {
      const frames: Buffer[] = []
      const reader = makePcapReader(({ frame }) => frames.push(Buffer.from(frame)))
      reader.push(await readFile(await captured('frames', () => realClients(seconds, 'frames'), 65_535)))
      return frames
    },
    /** The pod's own program on both sides, for as long, with what the patterns' rates come to. */
    made: async (seconds: number, seed: string, patterns: readonly Pattern[]): Promise<Conversation[]> => {
      const file = await captured(`made-${seed}`, async () => {
        const bounds = { mostAnHour: 3600, mostBytesAnHour: 1_000_000_000 }
        const plan = planOf(seed, bounds)
        await writeFile(join(folder, 'ask.json'), JSON.stringify(plan))
        const ports = Object.keys(peerPorts).map(Number)
        for (const port of ports) {
          const answer = { ...bounds, targets: [], answerOn: { port, peers: [asker] } }
          await writeFile(join(folder, `${port}.json`), JSON.stringify(answer))
        }
        // A pod answers on one port; here two stand for two pods, so that the capture knows what is what.
        const text = `import sys; sys.path.insert(0, '${pod}'); import mimicry; mimicry.have_address(); print(mimicry.text(mimicry.wanted()[0]))`
        const [first, second] = ports
        const further = `add rule ip marshlight_mimicry peers ip saddr ${asker} tcp dport ${second} dnat to 192.0.0.8:${second}`
        const rules = `MARSHLIGHT_MIMICRY_FILE=${folder}/${first}.json python3 -c "${text}"; echo "${further}"`
        run('ip', ...inside('server', 'sh', '-c', `(${rules}) | nft -f -`))
        const command = ['python3', '-IBS', join(pod, 'mimic.py')]
        const mimic = (file: string) => ({ MARSHLIGHT_MIMICRY_FILE: join(folder, file) })
        const others = ports.map((port) => begin('server', command, mimic(`${port}.json`)))
        const own = begin('asker', command, mimic('ask.json'))
        await Promise.all([...others, own].map((child) => once(child.stdout, 'data')))
        for (const other of others) other.stdin.write(`${JSON.stringify(handshakeOf(patterns))}\n`)
        const now = Date.now()
        const asked = patterns
          .flatMap((pattern) => {
            const isOther = (port: number) => (peerPorts[port] ?? pattern.kind) !== pattern.kind
            const targets = plan.targets.filter(({ port }) => !isOther(port))
            const ofKind = { ...plan, targets, mostAnHour: 100_000 }
            const options = { plan: ofKind, patterns: [pattern], draws: [0], measured: new Map() }
            return sliceOf(options, now, now + seconds * 1000).asked
          })
          .map((one, id) => ({ ...one, id }))
        let left = asked.length
        const had = new Promise<void>((resolve) => {
          own.stdout.on('data', (piece: Buffer) => {
            left -= piece.toString().split('"id":').length - 1
            if (left <= 0) resolve()
          })
        })
        own.stdin.write(`${JSON.stringify({ slice: asked })}\n`)
        await had
        for (const child of [own, ...others]) {
          child.stdin.end()
          await once(child, 'exit')
        }
      })
      return conversationsOf(file)
    },
    async close(): Promise<void> {
      for (const child of children) child.kill('SIGKILL')
      for (const space of Object.values(spaces)) run('sh', '-c', `ip netns del ${space} 2>/dev/null || :`)
      await rm(folder, { recursive: true, force: true })
      await rm(`/etc/netns/${spaces.asker}`, { recursive: true, force: true })
    },
  }
}

function planOf(seed: string, bounds: { mostAnHour: number; mostBytesAnHour: number }): MimicryPlan {
  const names = ['deb', 'security', 'files.intranet', 'mail', 'wiki'].map((name) => `${name}.lab.example`)
  return {
    seed,
    mimicryLevel: 'high',
    instantiations: 1,
    parameterVariation: 0,
    driftThreshold: 100,
    ...bounds,
    targets: [
      { role: 'resolver', ip: server, port: 53, proto: 'udp', names },
      { role: 'updates', ip: server, port: 80, proto: 'tcp', names: names.slice(0, 2) },
      ...Object.keys(peerPorts).map((port) => {
        return { role: 'peer' as const, ip: server, port: Number(port), proto: 'tcp' as const, names: [] }
      }),
    ],
    patterns: [],
  }
}

/** What the agent's capture makes of a file; what is on a peer's port stands for the kind that peers have there. */
export async function conversationsOf(file: string): Promise<Conversation[]> {
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
    .map((one) => ({ ...one, kind: peerPorts[Number(one.kind.replace('tcp ', ''))] ?? one.kind }))
    .filter(({ kind }) => kinds.includes(kind))
}
