import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from '../../agent/capture/decode.ts'
import { makeConversations } from '../../agent/capture/index.ts'
import { makePcapReader } from '../../agent/capture/pcap.ts'
import type { Conversation } from '../../agent/mimicry/conversation.ts'
import type { Pattern } from '../../agent/mimicry/patterns.ts'
import { sliceOf } from '../../agent/mimicry/slice.ts'
import type { MimicryPlan } from '../../shared/schemas/mimicry.ts'

const [asker, server] = ['198.18.203.1', '198.18.203.2']
const spaces = { asker: 'mimicry-ask', server: 'mimicry-srv' }
/** Where peers answer, by the kind that they have there. */
const peerPorts: Record<number, string> = { 22022: 'ssh' }
export const kinds = ['dns', 'http', 'ssh']
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
    for (const name of ['key', 'host']) run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name))
    const keys = [`AuthorizedKeysFile=${folder}/key.pub`, 'PermitRootLogin=yes']
    const options = [...keys, 'StrictModes=no', 'UsePAM=no', 'PidFile=none'].flatMap((one) => ['-o', one])
    run('mkdir', '-p', '/run/sshd')
    begin('server', ['/usr/sbin/sshd', '-D', '-f', '/dev/null', '-h', join(folder, 'host'), ...options])
    const program = begin('server', ['python3', join(import.meta.dirname, 'mimicry-servers.py'), server])
    await once(program.stdout, 'data')
  }

  /** Conversations on the wire while `work` goes on. */
  async function captured(name: string, work: () => Promise<void>): Promise<Conversation[]> {
    const file = join(process.env.MIMICRY_KEEP ?? folder, `${name}.pcap`)
    const dump = spawn('ip', inside('asker', 'tcpdump', '-i', 'e0', '-U', '-s', '128', '-w', file, 'ip'), {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await once(dump.stderr, 'data')
    await work()
    dump.kill('SIGINT')
    await once(dump, 'exit')
    return conversationsOf(file)
  }

  return {
    open,
    /** Real clients, for so many seconds. */
    real: (seconds: number, seed: string) =>
      captured(`real-${seed}`, async () => {
        const users = join(import.meta.dirname, 'mimicry-users.py')
        await once(begin('asker', ['python3', users, String(seconds), seed, server, join(folder, 'key')]), 'exit')
      }),
    /** The pod's own program on both sides, for as long, with what the patterns' rates come to. */
    made: (seconds: number, seed: string, patterns: readonly Pattern[]) =>
      captured(`made-${seed}`, async () => {
        const bounds = { mostAnHour: 3600, mostBytesAnHour: 1_000_000_000 }
        const answer = { ...bounds, targets: [], answerOn: { port: Number(Object.keys(peerPorts)[0]), peers: [asker] } }
        const plan = planOf(seed, bounds)
        await writeFile(join(folder, 'ask.json'), JSON.stringify(plan))
        await writeFile(join(folder, 'answer.json'), JSON.stringify(answer))
        const text = `import sys; sys.path.insert(0, '${pod}'); import mimicry; mimicry.have_address(); print(mimicry.text(mimicry.wanted()[0]))`
        const rules = `MARSHLIGHT_MIMICRY_FILE=${folder}/answer.json python3 -c "${text}" | nft -f -`
        run('ip', ...inside('server', 'sh', '-c', rules))
        const mimic = (file: string) => ({ MARSHLIGHT_MIMICRY_FILE: join(folder, file) })
        const command = ['python3', '-IBS', join(pod, 'mimic.py')]
        const other = begin('server', command, mimic('answer.json'))
        await once(other.stdout, 'data')
        const own = begin('asker', command, mimic('ask.json'))
        await once(own.stdout, 'data')
        const now = Date.now()
        const options = { plan: { ...plan, mostAnHour: 100_000 }, patterns, draws: [0], measured: new Map() }
        const { asked } = sliceOf(options, now, now + seconds * 1000)
        let left = asked.length
        const had = new Promise<void>((resolve) => {
          own.stdout.on('data', (piece: Buffer) => {
            left -= piece.toString().split('"id":').length - 1
            if (left <= 0) resolve()
          })
        })
        own.stdin.write(`${JSON.stringify({ slice: asked })}\n`)
        await had
        for (const child of [own, other]) {
          child.stdin.end()
          await once(child, 'exit')
        }
      }),
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
  const [peer] = Object.keys(peerPorts)
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
      { role: 'peer', ip: server, port: Number(peer), proto: 'tcp', names: [] },
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
