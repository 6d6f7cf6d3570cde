import t, { type Test } from 'tap'
import { makeScanner } from '../../../agent/scan/index.ts'
import type { Nmap } from '../../../agent/scan/nmap-run.ts'
import type { Report } from '../../../agent/spool/port.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import { plainPlan } from '../../plain-plan.ts'
import { tempFolder } from '../spool/records.ts'

type Told = Record<string, unknown>
const card = (n: number) => ({
  cidr: `198.18.${n}.0/24`,
  address: `198.18.${n}.2`,
  nic: `seg${n}`,
  mac: '52:54:00:00:00:01',
  dns: [],
})
const plan = plainPlan({}, { enabled: true })

const xml = (ips: readonly string[]) =>
  `<nmaprun><scaninfo services="22"/>${ips
    .map((ip) => `<host><status state="up"/><address addr="${ip}" addrtype="ipv4"/></host>`)
    .join('')}<runstats><finished exit="success"/></runstats></nmaprun>`

/** Six hosts in each segment; a job that `held` names waits until it is broken off, one with a host in `bad` fails. */
function network({ bad = [], held = () => false }: { bad?: string[]; held?: (job: string) => boolean }) {
  const jobs: string[] = []
  const nmap: Nmap = async ({ options, targets }, signal) => {
    const [, , segment] = (targets[0] ?? '').split('.')
    const kind = options.includes('-sn') ? 'sweep' : options.includes('-F') ? 'ports' : 'detail'
    jobs.push(`${kind} ${segment}`)
    if (held(`${kind} ${segment}`))
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    if (kind === 'detail' && targets.some((ip) => bad.includes(ip))) throw new Error('nmap broke off')
    return xml(kind === 'sweep' ? [10, 11, 12, 13, 14, 15].map((n) => `198.18.${segment}.${n}`) : targets)
  }
  return { jobs, nmap }
}

async function scannerOn(t: Test, cards: number[], nmap: Nmap) {
  const told: Told[] = []
  const waiting = new Set<() => void>()
  const report: Report = async (_stream, records) => {
    told.push(...(records as unknown as Told[]))
    for (const look of [...waiting]) look()
  }
  const next = (fits: (one: Told) => boolean) =>
    new Promise<Told>((done) => {
      const look = () => {
        const found = told.find(fits)
        if (!found) return
        waiting.delete(look)
        done(found)
      }
      waiting.add(look)
      look()
    })
  const scanner = makeScanner({
    report,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ownDecoys: () => [],
    nicFilter: () => false,
    // Not t.testdir(): that goes before what was begun in it is stopped.
    stateDir: await tempFolder(t),
    nmap,
    names: async () => new Map(),
    readNics: async () => cards.map(card),
  })
  t.teardown(() => scanner.stop())
  await scanner.start(new AbortController().signal)
  return { scanner, told, next }
}

const scanIs = (n: number, phase: string, outcome: string) => (one: Told) =>
  one.type === 'scan' && one.cidr === card(n).cidr && one.phase === phase && one.outcome === outcome

t.test('every segment has its quick pass before any has its details', async (t) => {
  const { jobs, nmap } = network({})
  const { scanner, next } = await scannerOn(t, [1, 2, 3], nmap)
  scanner.applyPlan(plan)
  for (const n of [1, 2, 3]) await next(scanIs(n, 'detail', 'done'))
  const kinds = jobs.map((job) => job.replace(/^(sweep|ports)/, 'quick'))
  t.same(kinds.slice(0, 6), ['quick 1', 'quick 1', 'quick 2', 'quick 2', 'quick 3', 'quick 3'])
  t.same([...new Set(kinds.slice(6))], ['detail 1', 'detail 2', 'detail 3'])
})

t.test('a host that nmap breaks off at keeps no other from its details, and is named', async (t) => {
  const { nmap } = network({ bad: ['198.18.1.11'] })
  const { scanner, told, next } = await scannerOn(t, [1], nmap)
  scanner.applyPlan(plan)
  t.match(await next(scanIs(1, 'detail', 'done')), { hostsUp: 6, reason: /1 of 6 hosts.*198\.18\.1\.11.*broke off/ })
  const detailed = told.filter((one) => one.type === 'host' && one.depth === 'detail').map(({ ip }) => ip)
  t.same(
    [...new Set(detailed)].sort(),
    ['10', '12', '13', '14', '15'].map((n) => `198.18.1.${n}`),
  )
})

t.test('a detail pass of which nothing succeeds has failed', async (t) => {
  const { nmap } = network({ bad: [10, 11, 12, 13, 14, 15].map((n) => `198.18.1.${n}`) })
  const { scanner, next } = await scannerOn(t, [1], nmap)
  scanner.applyPlan(plan)
  t.match(await next(scanIs(1, 'detail', 'failed')), { reason: /broke off/ })
})

t.test('a scan is cancelled in the segment that was named, and goes on in the other', async (t) => {
  const { nmap } = network({ held: (job) => job === 'detail 1' })
  const { scanner, told, next } = await scannerOn(t, [1, 2], nmap)
  scanner.applyPlan({ ...plan, scan: { ...plan.scan, quickEverySeconds: 604_800 } })
  await next(scanIs(1, 'detail', 'started'))
  const request = newId()
  await scanner.request({ name: 'scan', phase: 'detail' }, request)
  t.same(await scanner.request({ name: 'scan.cancel', cidr: card(2).cidr }), { cancelled: [] }, 'none runs there')
  t.notOk(told.find(scanIs(1, 'detail', 'cancelled')), 'and that of the other goes on')
  t.same(await scanner.request({ name: 'scan.cancel', cidr: card(1).cidr }), { cancelled: [card(1).cidr] })
  await next(scanIs(1, 'detail', 'cancelled'))
  t.notMatch(await next(scanIs(2, 'detail', 'done')), { request }, 'the scheduled one of the other segment comes')
  t.notOk(
    told.find((one) => one.request === request),
    'what waited was cancelled in both',
  )
})
