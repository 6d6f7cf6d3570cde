import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Persona, PersonaFile, PersonaService } from '../../shared/schemas/persona.ts'
import { personaOf } from './cowrie-persona.ts'
import { eventually } from './cowrie-pod.ts'
import { bannerFrom, decoyOf, makeAppliance, phase, planOf, type StateRecord, settled } from './decoys-appliance.ts'
import { makeSegment, type Segment } from './decoys-segment.ts'
import { containerAt, plugContainer } from './segment-container.ts'

t.setTimeout(180_000)

const service = (kind: PersonaService['kind'], port: number, product: string, version: string, settings = {}) => ({
  ...{ kind, port, product, version, settings },
})
const own: PersonaService[] = [
  service('http', 80, 'nginx', '1.22.1', { title: 'filer01' }),
  service('ftp', 21, 'vsftpd', '3.0.3'),
  service('smb', 445, 'Samba smbd', '4.17.12-Debian', { guest: true, shares: 'share=', folders: 'share=/srv/share' }),
  service('smb', 139, 'Samba smbd', '4.17.12-Debian', { guest: true, shares: 'share=' }),
  service('postgres', 5432, 'PostgreSQL', '15.9 (Debian 15.9-0+deb12u1)'),
]
const ports = '21,80,139,445,5432'

/** The same in the share of both. */
const lying = [
  ['notes.txt', 'first line\nsecond\n', 0o644],
  ['plans/2026.csv', 'a;b\n1;2\n', 0o644],
  ['secret.txt', 'x', 0o600],
  ['.hidden', 'h', 0o644],
] as const
const files: PersonaFile[] = lying.map(([name, content, mode]) => ({
  ...{ path: `/srv/share/${name}`, content, mode, uid: 0, gid: 0, modifiedAt: '2026-03-01T10:00:00Z' },
}))

const playing = (version: number, services: PersonaService[], more: Partial<Persona> = {}): Persona => ({
  ...personaOf('filer01', version),
  services,
  ...more,
})

/** The lab's host with its real servers, plugged into the segment. */
async function realHost(t: Test, segment: Segment, host: number): Promise<string> {
  const ip = plugContainer(t, segment, { host, services: 'http ftp postgres smb', hostname: 'filer01' })
  const open = async () =>
    segment.onNeighbour('nmap', '-n', '-Pn', '-p', ports, ip).match(/open/g)?.length === 5 ? true : undefined
  await eventually(open, 'the real host listens', 30)
  for (const [path, content, mode] of lying) {
    const words = `mkdir -p "$(dirname "$0")"; printf %s "$1" > "$0"; chmod ${mode.toString(8)} "$0"`
    execFileSync('docker', ['exec', containerAt(segment, host), 'sh', '-c', words, `/srv/share/${path}`, content])
  }
  return ip
}

/** What nmap says of each address, scanned side by side. */
function scanned(segment: Segment, ips: readonly string[], ...options: string[]): string[] {
  const told = segment.onNeighbour('nmap', '-n', '-Pn', ...options, ...ips).split('Nmap scan report for ')
  return ips.map((ip) => told.find((one) => one.startsWith(`${ip}\n`)) ?? '')
}

/** What a scanner reads, by port. */
const versions = (told: string): Record<string, string> =>
  Object.fromEntries(
    [...told.matchAll(/^(\d+)\/tcp +open +(\S+ +.*?)\s*$/gm)].map(([, port = '', rest = '']) => [port, rest]),
  )

const scripts = 'smb-protocols,smb2-security-mode,smb2-capabilities'

function smb(told: string): string {
  const blocks = told
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .join('\n')
    .replace(/^\|_/gm, '| ')
  return blocks
    .split(/\n(?=\| smb)/)
    .sort()
    .join('\n')
}

const requests: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'HEAD / HTTP/1.0\r\n\r\n',
  'GET /nothing HTTP/1.0\r\n\r\n',
  'POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
  'GET /../etc/passwd HTTP/1.0\r\n\r\n',
  'nonsense\r\n\r\n',
  'OPTIONS / RTSP/1.0\r\n\r\n',
  'GET /\r\n',
]
/** Start-up packets: another protocol, no user, an ending that is missing, and SCRAM with a proof that is none. */
const startups: readonly string[] = [
  '0000000800040000',
  '0000000f00030000757365720000 00'.replaceAll(' ', ''),
  '0000000800030000',
  '0000001200030000757365 7200626f620000'.replaceAll(' ', ''),
  '00000008ff530000',
]

/** What a server answers to bytes, up to the end of the connection or half a second of silence. */
function answer(segment: Segment, ip: string, port: number, bytes: Buffer): string {
  const program = `
import socket, sys
s = socket.create_connection(("${ip}", ${port})); s.settimeout(0.5); s.sendall(bytes.fromhex("${bytes.toString('hex')}"))
heard = b""
try:
    while data := s.recv(65536): heard += data
    heard += b"<end>"
except TimeoutError: pass
sys.stdout.write(heard.decode("latin-1"))`
  return segment.onNeighbour('python3', '-c', program)
}

/** Without the time, and what the time of a file makes. */
const timeless = (text: string) => text.replace(/^(Date|Last-Modified|ETag): .*$/gm, '$1')

t.test('a decoy of several containers beside the real host of its persona', async (t) => {
  const segment = makeSegment(t)
  const { agent, engine, records, reported, decoys, stateDir } = await makeAppliance(t, segment)
  const real = await realHost(t, segment, 10)
  const decoy = decoyOf(segment, 20, 'filer01', { services: ['cowrie', 'services'] })
  const containers = async () =>
    Object.fromEntries(
      (await engine.containers()).map(({ name, id, startedAt }) => [name.replace(/.*-/, ''), { id, startedAt }]),
    )
  await decoys.start(new AbortController().signal)

  await t.test('is ready when each of its containers says so', async (t) => {
    decoys.applyPlan(planOf(agent, 1, [decoy], [playing(1, own, { files })]))
    t.match(await reported(settled(1)), { outcome: 'applied', count: 1 })
    t.match(bannerFrom(segment, decoy.ip), /^SSH-2\.0-OpenSSH/)
    t.same(Object.keys(await containers()).sort(), ['cowrie', 'pod', 'services'])
    const status = join(stateDir, 'decoys', decoy.id, 'services/out/status.json')
    t.match(JSON.parse(await readFile(status, 'utf8')), { leftOut: [], revision: 1 })
  })

  await t.test('a scanner reads the same products and versions', async (t) => {
    const both = [real, decoy.ip]
    const [wanted = {}, seen] = scanned(segment, both, '-sV', '--version-light', '-p', ports).map(versions)
    t.same(Object.keys(wanted), ['21', '80', '139', '445', '5432'])
    t.same(seen, wanted)
    const [dialects = '', others] = scanned(segment, both, '--script', scripts, '-p', '445').map(smb)
    t.match(dialects, /smb2-capabilities/)
    t.equal(others, dialects)
  })

  await t.test('nginx and PostgreSQL answer right and wrong questions in the same words', async (t) => {
    for (const request of requests) {
      const to = (ip: string) => timeless(answer(segment, ip, 80, Buffer.from(request)))
      t.equal(to(decoy.ip), to(real), JSON.stringify(request))
    }
    for (const startup of startups) {
      const to = (ip: string) => answer(segment, ip, 5432, Buffer.from(startup, 'hex'))
      t.equal(to(decoy.ip), to(real), startup)
    }
  })

  await t.test('a guest of the share is answered as by Samba, right and wrong', async (t) => {
    const questions = join(import.meta.dirname, 'smb-questions.py')
    const to = (ip: string) => segment.onNeighbour('python3', '-B', questions, ip, '445', 'share')
    const wanted = to(real)
    t.match(wanted, /^list 37\n {2}0\n/m)
    t.equal(to(decoy.ip), wanted)
  })

  await t.test('another persona with other services takes effect in the running containers', async (t) => {
    const before = await containers()
    const next = [service('http', 80, 'Apache', '2.4.57 (Debian)'), service('redis', 6379, 'Redis', '7.0.15')]
    decoys.applyPlan(planOf(agent, 2, [{ ...decoy, personaVersion: 2 }], [playing(2, next)]))
    t.match(await reported(settled(2)), { outcome: 'applied' })
    t.match(answer(segment, decoy.ip, 80, Buffer.from('GET / HTTP/1.0\r\n\r\n')), /Server: Apache\/2\.4\.57 \(Debian\)/)
    t.match(answer(segment, decoy.ip, 6379, Buffer.from('PING\r\n')), /^\+PONG/)
    t.same(await containers(), before, 'nothing was started again')
  })

  await t.test('a container that dies is started again alone', async (t) => {
    const before = await containers()
    const from = records.length
    await engine.stop(before.services?.id ?? '', 0)
    const again = (record: StateRecord) =>
      phase(decoy.id, 'ready')(record) && 'restarts' in record && record.restarts === 1
    await reported(again, from)
    const { services, ...others } = await containers()
    t.same(others, { cowrie: before.cowrie, pod: before.pod })
    t.not(services?.startedAt, before.services?.startedAt)
    const beats = async () => {
      const pid = (await engine.containers()).find(({ id }) => id === services?.id)?.pid
      return existsSync(`/proc/${pid}/root/marshlight/alive/beat`) ? true : undefined
    }
    await eventually(beats, 'it beats once more')
  })

  await t.test('a persona without further services loses that container', async (t) => {
    const bare = { ...decoy, personaVersion: 3, services: ['cowrie' as const] }
    decoys.applyPlan(planOf(agent, 3, [bare], [playing(3, [])]))
    t.match(await reported(settled(3)), { outcome: 'applied' })
    t.same(Object.keys(await containers()).sort(), ['cowrie', 'pod'])
    t.same(
      decoys.sources().map(({ service: name }) => name),
      ['cowrie', 'services'],
      'what it told before can still be fetched',
    )
  })
})
