import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  build,
  checkTemplate,
  choose,
  inconsistencies,
  loadPersonaData,
  type Neighbour,
  readCatalogue,
  readCatalogueWith,
} from '../../../controller/personas/index.ts'
import { newId } from '../../../shared/ids.ts'
import { seededRandom } from '../../../shared/random.ts'
import { debianHost, windowsHost } from './neighbours.ts'

const now = Date.parse('2026-11-21T05:00:00Z')
const mail = {
  id: 'mail-server',
  extends: 'debian-12',
  label: 'mail server on Debian 12',
  onlyRoles: ['plain'],
  names: ['mail', 'mx1'],
  patience: { share: 1, most: 4 },
}

t.test('a template of an administrator extends a shipped one and builds whole personas', async (t) => {
  const dataDir = t.testdir({ templates: { 'mail.json': JSON.stringify(mail) } })
  const { catalogue, ouis, refused } = await loadPersonaData({ dataDir, templates: 'templates' })
  t.same(refused, [])
  const template = catalogue.templates.find(({ id }) => id === 'mail-server')
  if (!template) throw new Error('it was not loaded')
  const input = {
    id: newId(now),
    seed: 'admin-seed',
    template,
    because: 'test',
    neighbours: [],
    taken: new Set<string>(),
  }
  const persona = build({ ...input, now }, catalogue, ouis)
  t.equal(persona.hostname, 'mail')
  const open = persona.users.filter(({ passwords }) => passwords.length > 0)
  t.ok(open.every(({ acceptFromTry = 1 }) => acceptFromTry >= 2 && acceptFromTry <= 4))
  t.same(inconsistencies(persona, catalogue, ouis, now), [])
})

t.test(
  'some weak root of a shipped server waits for a later try of a source, and another account never does',
  async (t) => {
    const { catalogue, ouis } = await loadPersonaData({ dataDir: t.testdir(), templates: 'templates' })
    const servers = catalogue.templates.filter(({ patience }) => patience !== undefined)
    t.match(new Set(servers.map(({ os }) => os.id)), new Set(['debian', 'ubuntu', 'rocky', 'almalinux']))
    let [waiting, open] = [0, 0]
    for (const template of servers)
      for (let i = 0; i < 12; i++) {
        const input = {
          id: newId(now),
          seed: `patience-${i}`,
          template,
          because: 'test',
          neighbours: [],
          taken: new Set<string>(),
        }
        const persona = build({ ...input, now }, catalogue, ouis)
        const opened = persona.users.filter(({ passwords }) => passwords.length > 0)
        if (!opened.some(({ acceptFromTry = 1 }) => acceptFromTry === 1))
          t.fail(`nobody is let in at once: ${template.id}`)
        const later = opened.filter(({ acceptFromTry = 1 }) => acceptFromTry > 1)
        open += opened.filter(({ name }) => name === 'root').length
        waiting += later.length
        const why = persona.reasons.find(({ field }) => field === 'users')?.because ?? ''
        for (const { name, acceptFromTry = 1 } of later) {
          if (name !== 'root' || acceptFromTry < 3 || acceptFromTry > 8) t.fail(`${name} from try ${acceptFromTry}`)
          t.match(why, `root from try ${acceptFromTry}`)
        }
      }
    t.ok(waiting > open / 4 && waiting < (open * 3) / 4, `${waiting} of ${open} wait`)
  },
)

t.test('what is broken is refused with its place, its value and the next step; the rest is used', async (t) => {
  const dataDir = t.testdir({
    templates: {
      'a-not-json.json': '{',
      'b-unknown-base.json': JSON.stringify({ ...mail, extends: 'debian-99' }),
      'c-wrong-field.json': JSON.stringify({ ...mail, schedule: 7 }),
      'd-more.json': JSON.stringify({ ...mail, colour: 'red' }),
      'e-name.json': JSON.stringify({ ...mail, network: 'linux-99' }),
      'f-twice.json': JSON.stringify({ ...mail, id: 'debian-12' }),
      'g-role.json': JSON.stringify({ ...mail, onlyRoles: ['mainframe'] }),
      'h-good.json': JSON.stringify(mail),
      'notes.txt': 'not looked at',
    },
  })
  const { catalogue, refused } = readCatalogueWith({ dataDir, templates: 'templates' })
  t.match(
    refused.map(({ file, path, value }) => [file.split('/').at(-1), path, value]),
    [
      ['a-not-json.json', 'the file', 'not JSON'],
      ['b-unknown-base.json', 'extends', '"debian-99"'],
      ['c-wrong-field.json', 'schedule', '7'],
      ['d-more.json', 'the file', 'colour'],
      ['e-name.json', 'a name', 'mail-server'],
      ['f-twice.json', 'id', 'debian-12'],
      ['g-role.json', 'onlyRoles', 'mainframe'],
    ],
  )
  t.ok(refused.every(({ next, why }) => next.length > 0 && why.length > 0))
  t.match(refused[4]?.why, /linux-99 is none of: linux,/)
  t.ok(catalogue.templates.some(({ id }) => id === 'mail-server'))
  t.ok('faults' in checkTemplate(join(dataDir, 'gone.json'), catalogue))
})

t.test('weights of threats come from an administrator’s file; a broken one leaves the program’s', async (t) => {
  const dataDir = t.testdir()
  mkdirSync(join(dataDir, 'feeds'))
  const feed = {
    source: 'test',
    date: '2026-11-01',
    families: [{ match: '^ubuntu-22', weight: 2, because: 'a worm looks for it' }],
    services: [],
  }
  writeFileSync(join(dataDir, 'feeds/now.json'), JSON.stringify(feed))
  const places = { dataDir, templates: 'templates', threats: 'feeds/now.json' }
  const { catalogue, refused } = readCatalogueWith(places)
  t.same(refused, [])
  const ubuntu = {
    port: 22,
    proto: 'tcp' as const,
    service: 'ssh',
    product: 'OpenSSH',
    version: '8.9p1 Ubuntu 3ubuntu0.10',
  }
  const mixed = [debianHost(1), debianHost(2, { ports: [ubuntu] })]
  const chosen = Array.from({ length: 300 }, (_, i) => choose(catalogue, mixed, seededRandom(`feed-${i}`)))
  const hunted = chosen.filter(({ template }) => template.id === 'ubuntu-22.04')
  t.ok(hunted.length > 165, `${hunted.length} of 300, where half would be without the feed`)
  t.match(hunted[0]?.because, /a worm looks for it \(2026-11-01\)/)
  writeFileSync(join(dataDir, 'feeds/now.json'), JSON.stringify({ ...feed, families: [{ match: 'x', weight: 9 }] }))
  const broken = readCatalogueWith(places)
  t.match(broken.refused, [{ path: 'families.0.weight' }])
  t.equal(broken.catalogue.threats.date, readCatalogue().threats.date)
})

t.test('families without SSH and telnet are chosen only where decoys may have other services', async (t) => {
  const catalogue = readCatalogue()
  const neighbours: Neighbour[] = [windowsHost(1), windowsHost(2)]
  t.notOk(choose(catalogue, neighbours, seededRandom('w')).template.id.startsWith('windows'))
  const choice = choose(catalogue, neighbours, seededRandom('w'), { services: true })
  t.equal(choice.template.id, 'windows-server-2019')
})

t.test('a host that serves the web is taken for a web server, one that does not for the plain system', async (t) => {
  const catalogue = readCatalogue()
  const [ssh] = debianHost(1).ports
  if (!ssh) throw new Error('no port')
  const web = debianHost(1, { ports: [ssh, { port: 80, proto: 'tcp', service: 'http', product: 'nginx' }] })
  t.equal(choose(catalogue, [web], seededRandom('x')).template.id, 'web-server-debian-12')
  t.equal(choose(catalogue, [debianHost(2)], seededRandom('x')).template.id, 'debian-12')
})
