import { createPrivateKey, createPublicKey } from 'node:crypto'
import t from 'tap'
import { build, loadOuis, type Neighbour, readCatalogue } from '../../../controller/personas/index.ts'
import { newId } from '../../../shared/ids.ts'
import { debianHost } from './neighbours.ts'

const catalogue = readCatalogue()
const ouis = await loadOuis()
const now = Date.parse('2026-11-21T05:00:00Z')

function personaOf(family: string, seed: string, more: { neighbours?: Neighbour[] } = {}) {
  const template = catalogue.templates.find(({ id }) => id === family)
  if (!template) throw new Error(`no ${family}`)
  const { neighbours = [], ...rest } = more
  const input = { id: newId(now), seed, template, because: 'test', neighbours, taken: new Set<string>(), now, ...rest }
  return build(input, catalogue, ouis)
}

t.test('files and planted log-ins are different on every decoy, the same on every visit, and bounded', async (t) => {
  const passwords = new Set<string>()
  let count = 0
  for (let i = 0; i < 400; i++) {
    const template = catalogue.templates[i % catalogue.templates.length]
    if (!template) throw new Error('an empty catalogue')
    const one = personaOf(template.id, `files-seed-${i}`)
    if (i % 20 === 0) t.same(personaOf(template.id, `files-seed-${i}`).files, one.files)
    const bytes = (one.files ?? []).reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
    if (bytes > 96 * 1024) t.fail(`${template.id} has ${bytes} bytes`)
    for (const { password } of one.honey ?? []) {
      passwords.add(password)
      count++
    }
  }
  t.ok(count > 400, `${count} planted`)
  t.equal(passwords.size, count, 'no password stands on two decoys')
})

t.test('a key pair is sound: the private half gives the public one', async (t) => {
  const files = personaOf('debian-12', 'files-keys').files ?? []
  const secret = files.find(({ path }) => path.endsWith('/.ssh/id_ed25519'))
  const open = files.find(({ path }) => path.endsWith('/.ssh/id_ed25519.pub'))
  if (!secret || !open) throw new Error('no keys')
  t.equal(secret.mode, 0o600)
  const body = Buffer.from(secret.content.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  t.equal(body.subarray(0, 15).toString('latin1'), 'openssh-key-v1\0')
  const point = Buffer.from(open.content.split(' ')[1] ?? '', 'base64').subarray(-32)
  const at = body.lastIndexOf(point)
  const seed = body.subarray(at - 32, at)
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const derived = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  t.same((derived.export({ format: 'der', type: 'spki' }) as Buffer).subarray(-32), point)
})

t.test('language and time zone follow the segment’s domain', async (t) => {
  const neighbours = [1, 2, 3].map((n) => debianHost(n, { names: [`web0${n}.werk.de`] }))
  const german = personaOf('debian-12', 'files-locale', { neighbours })
  t.equal(german.locale, 'de_DE.UTF-8')
  t.equal(german.timezone, 'Europe/Berlin')
  t.ok(german.files?.some(({ path }) => path.includes('/Dokumente/')))
})

t.test('what is said as hunted weighs in a choice of services, and says so', async (t) => {
  const share = (weight: number) => {
    const feed = {
      ...catalogue.threats,
      services: [{ kind: 'postgres' as const, weight, because: 'the test says so' }],
    }
    const template = catalogue.templates.find(({ id }) => id === 'debian-12')
    if (!template) throw new Error('no Debian 12')
    const role = template.roles.filter(({ id }) => id === 'postgresql')
    const built = Array.from({ length: 200 }, (_, i) =>
      build(
        {
          ...{ id: newId(now), seed: `threat-${i}`, template: { ...template, roles: role }, because: 'test' },
          ...{ neighbours: [], taken: new Set<string>(), now },
        },
        { ...catalogue, threats: feed },
        ouis,
      ),
    )
    t.ok(built.some(({ reasons }) => reasons.some(({ because }) => because.includes('the test says so'))))
    return built.filter(({ services }) => services?.some(({ kind }) => kind === 'postgres')).length
  }
  t.ok(share(0.5) < share(1.5))
})
