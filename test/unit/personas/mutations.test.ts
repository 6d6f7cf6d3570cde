import t from 'tap'
import { build, inconsistencies, loadOuis, readCatalogue } from '../../../controller/personas/index.ts'
import { newId } from '../../../shared/ids.ts'
import type { Persona } from '../../../shared/schemas/persona.ts'
import { debianHost } from './neighbours.ts'

const catalogue = readCatalogue()
const ouis = await loadOuis()
const now = Date.parse('2026-11-21T05:00:00Z')

function personaOf(family: string, seed: string, names: readonly string[] = []): Persona {
  const template = catalogue.templates.find(({ id }) => id === family)
  if (!template) throw new Error(`no ${family}`)
  const neighbours = names.map((name, i) => debianHost(i + 1, { names: [name], ports: [] }))
  const input = { id: newId(now), seed, template, because: 'test', neighbours, taken: new Set<string>(), now }
  return build(input, catalogue, ouis)
}

/** One persona of the family that has what a mutation needs. */
function having(family: string, has: (one: Persona) => boolean, names: readonly string[] = []): Persona {
  for (let i = 0; i < 200; i++) {
    const one = personaOf(family, `mutation-seed-${i}`, names)
    if (has(one)) return one
  }
  throw new Error(`no ${family} fits`)
}

const serviceOf = (kind: string) => (one: Persona) => one.services?.some((each) => each.kind === kind) === true
const changed = <T>(list: readonly T[] | undefined, at: (one: T) => boolean, change: (one: T) => T): T[] => {
  const found = (list ?? []).findIndex(at)
  if (found < 0) throw new Error('there is nothing to change')
  return (list ?? []).map((one, i) => (i === found ? change(one) : one))
}
const later = new Date(now + 86_400_000).toISOString()

const debian = having('debian-12', (one) => (one.honey?.length ?? 0) > 0 && (one.schedule?.logins.length ?? 0) > 0)
const web = having('web-server-debian-12', serviceOf('http'))
const database = having('database-server-debian-12', serviceOf('mysql'))
const cache = having('database-server-debian-12', serviceOf('redis'), ['cache01', 'cache02'])
const windows = having('windows-server-2019', serviceOf('smb'))
const printer = personaOf('printer-laserjet', 'mutation-seed')

const network = (one: Persona, change: Partial<NonNullable<Persona['network']>>): Persona => {
  if (!one.network) throw new Error('no network')
  return { ...one, network: { ...one.network, ...change } }
}
const schedule = (one: Persona, change: Partial<NonNullable<Persona['schedule']>>): Persona => {
  if (!one.schedule) throw new Error('no schedule')
  return { ...one, schedule: { ...one.schedule, ...change } }
}
const processless = (one: Persona, text: string): Persona => ({
  ...one,
  processes: one.processes.filter(({ command }) => !command.includes(text)),
})

/** What is wrong, how it is made wrong, and a word of the complaint. */
const mutations: readonly [string, Persona, RegExp][] = [
  [
    'a service without its process',
    processless(web, web.services?.[0]?.product === 'nginx' ? 'nginx' : 'apache2'),
    /without its process/,
  ],
  [
    'a service without its package',
    { ...web, packages: (web.packages ?? []).filter(({ name }) => !/^(nginx|apache2)$/.test(name)) },
    /not installed/,
  ],
  [
    'another version than the installed',
    {
      ...web,
      services: changed(
        web.services,
        () => true,
        (one) => ({ ...one, version: '1.0.1' }),
      ),
    },
    /installed is/,
  ],
  [
    'a service the family has not',
    {
      ...web,
      services: [...(web.services ?? []), { kind: 'rdp', port: 3389, product: 'x', version: '1', settings: {} }],
    },
    /offers no/,
  ],
  ['two services of one port', { ...web, services: [...(web.services ?? []), ...(web.services ?? [])] }, /both want/],
  [
    'a setting that its kind has not',
    {
      ...web,
      services: changed(
        web.services,
        () => true,
        (one) => ({ ...one, settings: { colour: 'red' } }),
      ),
    },
    /settings/,
  ],
  [
    'a page that is not the one on the disk',
    {
      ...web,
      files: changed(
        web.files,
        ({ path }) => path.endsWith('index.html'),
        (one) => ({ ...one, content: 'other' }),
      ),
    },
    /start page/,
  ],
  [
    'a greeting of another version',
    {
      ...database,
      services: changed(
        database.services,
        ({ kind }) => kind === 'mysql',
        (one) => ({ ...one, settings: { ...one.settings, serverVersion: '8.0.36' } }),
      ),
    },
    /greets as/,
  ],
  [
    'Redis that says it is local and is not',
    {
      ...cache,
      processes: changed(
        cache.processes,
        ({ command }) => command.includes('redis'),
        (one) => ({ ...one, command: one.command.replace('*', '127.0.0.1') }),
      ),
    },
    /Redis says/,
  ],
  [
    'another host’s NetBIOS name',
    {
      ...windows,
      services: changed(
        windows.services,
        ({ kind }) => kind === 'smb',
        (one) => ({ ...one, settings: { ...one.settings, netbiosName: 'OTHER' } }),
      ),
    },
    /names OTHER/,
  ],
  ['Windows with the time to live of Linux', { ...windows, ttl: 64 }, /TTL/],
  ['Windows with time stamps', network(windows, { timestamps: true }), /timestamps/],
  ['Windows with a stack of Linux', network(windows, { stack: 'linux' }), /stack/],
  [
    'Windows with a kernel of Linux',
    { ...windows, os: { ...windows.os, kernel: { ...windows.os.kernel, name: 'Linux' } } },
    /calls its kernel/,
  ],
  [
    'Windows with a home of Unix',
    {
      ...windows,
      users: changed(
        windows.users,
        ({ uid }) => uid > 1000,
        (one) => ({ ...one, home: `/home/${one.name}` }),
      ),
    },
    /lives in/,
  ],
  [
    'a log-in where nobody is let in',
    { ...printer, users: printer.users.map((one) => ({ ...one, passwords: ['1234'] })) },
    /can log in/,
  ],
  ['a printer with a large window', network(printer, { window: 65_535 }), /window/],
  ['no network stack', { ...debian, network: undefined } as unknown as Persona, /network stack/],
  [
    'a package of another release',
    {
      ...debian,
      packages: changed(
        debian.packages,
        ({ name }) => name === 'bash',
        (one) => ({ ...one, version: '5.1-2+deb11u1' }),
      ),
    },
    /bash/,
  ],
  [
    'a package nobody has',
    {
      ...debian,
      packages: changed(
        debian.packages,
        ({ name }) => name === 'bash',
        (one) => ({ ...one, name: 'zzz' }),
      ),
    },
    /no package of/,
  ],
  [
    'no package of the running kernel',
    { ...debian, packages: (debian.packages ?? []).filter(({ name }) => !name.startsWith('linux-image')) },
    /kernel's package/,
  ],
  [
    'another SSH package than the banner says',
    {
      ...debian,
      packages: changed(
        debian.packages,
        ({ name }) => name === 'openssh-server',
        (one) => ({ ...one, version: '1:9.2p1-2' }),
      ),
    },
    /openssh-server/,
  ],
  [
    'a package twice',
    { ...debian, packages: [...(debian.packages ?? []), ...(debian.packages ?? []).slice(0, 1)] },
    /twice/,
  ],
  [
    'a file of nobody',
    {
      ...debian,
      files: changed(
        debian.files,
        () => true,
        (one) => ({ ...one, uid: 4242 }),
      ),
    },
    /who is no user/,
  ],
  [
    'a file of root in somebody’s home',
    {
      ...debian,
      files: changed(
        debian.files,
        ({ path }) => path.startsWith('/home/'),
        (one) => ({ ...one, uid: 0 }),
      ),
    },
    /lies with/,
  ],
  [
    'a file of tomorrow',
    {
      ...debian,
      files: changed(
        debian.files,
        () => true,
        (one) => ({ ...one, modifiedAt: later }),
      ),
    },
    /in the future/,
  ],
  [
    'a path of Windows',
    {
      ...debian,
      files: changed(
        debian.files,
        () => true,
        (one) => ({ ...one, path: 'C:\\x.txt' }),
      ),
    },
    /no path of/,
  ],
  [
    'more files than a decoy may hold',
    {
      ...debian,
      files: [0, 1, 2, 3].map((n) => ({
        path: `/srv/${n}`,
        mode: 0o644,
        uid: 0,
        gid: 0,
        modifiedAt: debian.bootedAt,
        content: 'x'.repeat(30_000),
      })),
      honey: [],
    },
    /bytes/,
  ],
  [
    'a honey-credential that stands nowhere',
    {
      ...debian,
      honey: changed(
        debian.honey,
        () => true,
        (one) => ({ ...one, password: 'Another-password9' }),
      ),
    },
    /does not hold/,
  ],
  [
    'a honey-credential that opens an account',
    {
      ...debian,
      users: debian.users.map((one) => ({ ...one, passwords: debian.honey?.map(({ password }) => password) ?? [] })),
    },
    /opens an account/,
  ],
  [
    'cron of somebody unknown',
    schedule(debian, {
      cron: changed(
        debian.schedule?.cron,
        () => true,
        (one) => ({ ...one, user: 'zoe' }),
      ),
    }),
    /no user/,
  ],
  [
    'cron at no time',
    schedule(debian, {
      cron: changed(
        debian.schedule?.cron,
        () => true,
        (one) => ({ ...one, at: '61 * * * *' }),
      ),
    }),
    /no time/,
  ],
  [
    'cron that the crontab does not hold',
    schedule(debian, {
      cron: changed(
        debian.schedule?.cron,
        ({ file }) => file === '/etc/cron.d/backup',
        (one) => ({ ...one, command: 'rm -rf /tmp/x' }),
      ),
    }),
    /does not hold/,
  ],
  [
    'another line in the crontab that the package brings',
    schedule(debian, {
      cron: changed(
        debian.schedule?.cron,
        ({ file }) => file === '/etc/crontab',
        (one) => ({ ...one, command: 'rm -rf /tmp/x' }),
      ),
    }),
    /its package brings/,
  ],
  [
    'log-ins of a system user',
    schedule(debian, { logins: [{ user: 'www-data', perDay: 1, from: 'tty1' }] }),
    /logs in/,
  ],
  [
    'up for far longer than it restarts',
    { ...debian, bootedAt: new Date(now - 200 * 86_400_000).toISOString() },
    /restarted every/,
  ],
  ['work that ends before it begins', schedule(debian, { workFrom: 20, workTo: 8 }), /work from/],
  ['a locale that is none', { ...debian, locale: 'german' }, /locale/],
]

t.test('each rule bites: one fact changed, and it is named', async (t) => {
  for (const one of [debian, web, database, cache, windows, printer])
    t.same(inconsistencies(one, catalogue, ouis, now), [], `${one.family} is whole before`)
  for (const [what, mutant, words] of mutations) {
    const found = inconsistencies(mutant, catalogue, ouis, now)
    t.ok(
      found.some((one) => words.test(one)),
      `${what}: ${JSON.stringify(found.slice(0, 3))}`,
    )
  }
})

t.test('packages of a day to come are named', async (t) => {
  const before = Date.parse('2025-09-01T00:00:00Z')
  t.ok(inconsistencies(debian, catalogue, ouis, before).some((one) => /its packages are of/.test(one)))
})
