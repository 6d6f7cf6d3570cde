import t from 'tap'
import {
  build,
  choose,
  inconsistencies,
  loadOuis,
  type Neighbour,
  nextVersion,
  readCatalogue,
} from '../../../controller/personas/index.ts'
import { newId } from '../../../shared/ids.ts'
import { seededRandom } from '../../../shared/random.ts'
import { debianHost, ubuntuHost, windowsHost } from './neighbours.ts'

const catalogue = readCatalogue()
const ouis = await loadOuis()
const now = Date.parse('2026-11-21T05:00:00Z')
const id = newId(now)

const input = (
  template: (typeof catalogue.templates)[number],
  seed: string,
  neighbours: readonly Neighbour[] = [],
) => ({
  id,
  seed,
  template,
  because: 'test',
  neighbours,
  taken: new Set<string>(),
  now,
})

t.test('two thousand personas of all families hold together, and so does each later version', async (t) => {
  const segments: Neighbour[][] = [
    [],
    [1, 2, 3].map((n) => debianHost(n)),
    [ubuntuHost(4), windowsHost(5), debianHost(6)],
  ]
  const found: string[] = []
  for (let i = 0; i < 2000; i++) {
    const template = catalogue.templates[i % catalogue.templates.length]
    if (!template) throw new Error('an empty catalogue')
    let persona = build(input(template, `seed-number-${i}`, segments[i % segments.length]), catalogue, ouis)
    const say = (words: string) => found.push(`${template.id}, seed ${i}, version ${persona.version}: ${words}`)
    inconsistencies(persona, catalogue, ouis, now).forEach(say)
    for (let v = 0; v < (i % 2 === 0 ? 3 : 0); v++) {
      persona = nextVersion(persona, 'the test wants it', { catalogue, random: seededRandom(`${i}/${v}`), now }).persona
      inconsistencies(persona, catalogue, ouis, now).forEach(say)
    }
  }
  t.same(found.slice(0, 10), [])
})

t.test('the same input builds the same persona, another seed another', async (t) => {
  const [template] = catalogue.templates
  if (!template) throw new Error('an empty catalogue')
  t.same(build(input(template, 'seed-one'), catalogue, ouis), build(input(template, 'seed-one'), catalogue, ouis))
  t.notSame(
    build(input(template, 'seed-one'), catalogue, ouis).users,
    build(input(template, 'seed-two'), catalogue, ouis).users,
  )
})

t.test('what contradicts itself is named', async (t) => {
  const [template] = catalogue.templates
  if (!template) throw new Error('an empty catalogue')
  const good = build(input(template, 'seed-good'), catalogue, ouis)
  const ssh = good.ssh
  if (!ssh) throw new Error('no SSH')
  const bad = [
    { ...good, ssh: { ...ssh, banner: 'SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10' } },
    { ...good, ssh: { ...ssh, kex: ['diffie-hellman-group14-sha1'] } },
    { ...good, mac: { oui: '02:42:ac', vendor: 'nobody' } },
    { ...good, os: { ...good.os, kernel: { ...good.os.kernel, release: '5.15.0-91-generic' } } },
    { ...good, bootedAt: '2030-01-01T00:00:00.000Z' },
    { ...good, users: good.users.map((user) => ({ ...user, passwords: [] })) },
    { ...good, processes: good.processes.filter(({ command }) => !command.includes('sshd')) },
    { ...good, hardware: { ...good.hardware, memoryKb: 123_456 } },
    { ...good, processes: good.processes.map((one) => ({ ...one, user: 'nobody-here' })) },
  ]
  for (const one of bad) t.not(inconsistencies(one, catalogue, ouis, now).length, 0)
})

t.test('a segment of five Debian and one Ubuntu gets Debian mostly, and Ubuntu now and then', async (t) => {
  const neighbours = [1, 2, 3, 4, 5].map((n) => debianHost(n)).concat(ubuntuHost(6))
  const random = seededRandom('mix')
  const counts: Record<string, number> = {}
  for (let i = 0; i < 600; i++) {
    const { template } = choose(catalogue, neighbours, random)
    counts[template.id] = (counts[template.id] ?? 0) + 1
  }
  t.ok((counts['debian-12'] ?? 0) > 420, JSON.stringify(counts))
  t.ok((counts['ubuntu-22.04'] ?? 0) > 40, JSON.stringify(counts))
  t.equal((counts['debian-12'] ?? 0) + (counts['ubuntu-22.04'] ?? 0), 600)
})

t.test('hosts of which only the looks are known count as the certain ones do', async (t) => {
  const vague = [3, 4, 5].map((n) => debianHost(n, { ports: [] }))
  const random = seededRandom('vague')
  const chosen = Array.from({ length: 200 }, () => choose(catalogue, [debianHost(1), debianHost(2), ...vague], random))
  t.ok(chosen.filter(({ template }) => template.id === 'debian-12').length > 140)
})

t.test('a router that nmap names beside plain Linux makes no routers of servers', async (t) => {
  const vague = [3, 4, 5].map((n) =>
    debianHost(n, {
      ports: [],
      os: [
        { name: 'OpenWrt 21.02 (Linux 5.4)', accuracy: 98 },
        { name: 'Linux 4.15 - 5.19', accuracy: 98 },
      ],
    }),
  )
  const random = seededRandom('router')
  const chosen = Array.from({ length: 200 }, () => choose(catalogue, [debianHost(1), debianHost(2), ...vague], random))
  t.ok(chosen.filter(({ template }) => template.id === 'openwrt').length < 20)
})

t.test('where no host can be imitated the nearest is taken, and it says so', async (t) => {
  const choice = choose(catalogue, [windowsHost(1), windowsHost(2)], seededRandom('w'))
  t.equal(choice.nearest, true)
  t.match(choice.because, /nearest/)
  t.match(choice.because, /Windows/)
})

t.test('the version of SSH, the vendor and the names are those of the neighbours', async (t) => {
  const template = catalogue.templates.find((one) => one.id === 'debian-12')
  if (!template) throw new Error('no Debian 12')
  const neighbours = [1, 2, 3].map((n) => debianHost(n))
  const persona = build(input(template, 'seed-neighbours', neighbours), catalogue, ouis)
  t.equal(persona.ssh?.banner, 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3')
  t.equal(persona.ssh?.kex.at(-1), 'kex-strict-s-v00@openssh.com')
  t.match(persona.mac.vendor, /VMware/)
  t.match(persona.hostname, /^web0\d$/)
  t.equal(persona.domain, 'corp.example')
  t.ok(['hostname', 'mac', 'ssh', 'users'].every((field) => persona.reasons.some((reason) => reason.field === field)))
})

t.test('a patch level that only neighbours have is taken over; what is not of the package is not', async (t) => {
  const template = catalogue.templates.find((one) => one.id === 'debian-12')
  if (!template) throw new Error('no Debian 12')
  const at = (version: string) =>
    build(
      input(template, 'seed-patch', [
        debianHost(1, { ports: [{ port: 22, proto: 'tcp', service: 'ssh', product: 'OpenSSH', version }] }),
      ]),
      catalogue,
      ouis,
    ).ssh?.banner
  t.equal(at('9.2p1 Debian 2+deb12u10'), 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10')
  t.match(at('9.2p1 Debian evil\r\nbanner'), /^SSH-2\.0-OpenSSH_9\.2p1 Debian-2\+deb12u\d$/)
})

t.test('each hardware of the catalogue has addresses in the registry', async (t) => {
  for (const { id, vendor, ouis: own } of catalogue.hardware)
    t.ok((own ?? ouis.ouisOf(vendor)).length > 0, `${id} (${vendor})`)
})
