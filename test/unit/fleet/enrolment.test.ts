import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import { webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import t from 'tap'
import { readConfig } from '../../../controller/config.ts'
import type { Deps } from '../../../controller/deps.ts'
import {
  type BlocksContent,
  careTables,
  certificateTables,
  codeTables,
  enrol,
  findAgent,
  fleetTables,
  initController,
  keyTables,
  lateTables,
  makeClaim,
  makeDesired,
  openAuthority,
  type PlanContent,
  planSite,
  tagsOf,
} from '../../../controller/fleet/index.ts'
import { coreTables } from '../../../controller/store/core-tables.ts'
import { openSqlite } from '../../../controller/store/sqlite.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { silentLog } from '../../../shared/log.ts'
import { plan } from '../../../shared/schemas/desired-state.ts'
import { publicKeyFromPem, verifyDocument } from '../../../shared/signing.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 86_400_000
const emptyPlan: PlanContent = {
  decoys: [],
  personas: [],
  scan: {
    enabled: true,
    ranges: [],
    exclude: [],
    decoyMacs: [],
    maxRate: 100,
    quickEverySeconds: 300,
    detailEverySeconds: 3600,
    fullPictureEverySeconds: 86400,
    maxHosts: 4096,
  },
  neverBlock: [],
}
const noBlocks: BlocksContent = { entries: [], neverBlock: [] }

async function newCsr(): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return (
    await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=agent', keys, signingAlgorithm: algorithm })
  ).toString('pem')
}

async function controllerIn(t: { teardown(f: () => unknown): void }) {
  const dataDir = mkdtempSync(join(tmpdir(), 'marshlight-fleet-'))
  const time = { now: Date.parse('2026-03-01T12:00:00Z') }
  await initController({ dataDir, config: { publicHost: '198.18.0.10' }, now: time.now })
  const store = openSqlite(join(dataDir, 'test.db'), [
    coreTables,
    fleetTables,
    careTables,
    keyTables,
    certificateTables,
    codeTables,
    lateTables,
  ])
  t.teardown(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true })
  })
  const deps: Deps = {
    config: readConfig(dataDir),
    dataDir,
    store,
    bus: makeBus(),
    clock: { now: () => time.now, sleep: async () => {} },
    random: () => 0.5,
    log: silentLog,
  }
  const authority = await openAuthority(dataDir)
  const invite = (hours = 24) =>
    store.tx((sql) => makeClaim(sql, { site: 'hq', segment: 'office', name: 'pi', roles: ['decoys'], hours }, time.now))
  const ask = async (token: { id: string; secret: string }, csr?: string) =>
    enrol(deps, authority, { token, csr: csr ?? (await newCsr()), hostname: 'raspberrypi', version: '0.1.0' })
  return { deps, authority, invite, ask, time, dataDir, store }
}

t.test('a new controller keeps its keys to its owner and refuses to be made twice', async (t) => {
  const { dataDir } = await controllerIn(t)
  for (const file of ['ca/ca-key.pem', 'ca/server-key.pem', 'ca/signing-key.pem', 'api-token'])
    t.equal(statSync(join(dataDir, file)).mode & 0o077, 0, file)
  await t.rejects(initController({ dataDir, config: {}, now: 0 }), { code: 'CONFLICT' })
})

t.test('a token gives one agent a certificate that the authority signed, once', async (t) => {
  const { ask, invite, authority, store } = await controllerIn(t)
  const token = await invite()
  const csr = await newCsr()
  const answer = await ask(token, csr)
  const certificate = new X509Certificate(answer.certificate)
  t.equal(certificate.subject, `CN=${answer.agent}`)
  t.ok(certificate.verify(new X509Certificate(authority.caPem).publicKey))
  t.equal((await findAgent(store, 'pi')).id, answer.agent)
  await t.rejects(ask(token), { code: 'TOKEN_USED' }, 'another key')
  t.equal((await ask(token, csr)).agent, answer.agent, 'the same key, whose answer was lost')
})

t.test('a token that is false, late, or tampered with gives nothing', async (t) => {
  const { ask, invite, time } = await controllerIn(t)
  const token = await invite(1)
  await t.rejects(ask({ ...token, secret: 'guess' }), { code: 'TOKEN_INVALID' })
  await t.rejects(ask(token, 'no request'), { code: 'TOKEN_INVALID' })
  time.now += 2 * 3_600_000
  await t.rejects(ask(token), { code: 'TOKEN_EXPIRED' })
})

t.test('documents rise by one revision for each change, and are issued anew when they age', async (t) => {
  const { deps, authority, invite, ask, time } = await controllerIn(t)
  const { agent } = await ask(await invite())
  const content = { current: emptyPlan }
  const published: number[] = []
  const desired = makeDesired(deps, authority, {
    composePlan: async () => content.current,
    composeBlocks: async () => noBlocks,
    async publish(to, kind, document) {
      const publicKey = publicKeyFromPem(authority.signingPublicPem)
      if (kind !== 'plan') return
      t.equal(to, agent)
      const got = verifyDocument(JSON.stringify(document), plan, { publicKey, agent, now: time.now })
      published.push(got.revision)
    },
  })
  await desired.refresh('plan', 'all')
  await desired.refresh('plan', 'all')
  t.same(published, [1], 'no change, no revision')
  content.current = { ...emptyPlan, neverBlock: ['198.18.0.1/32'] }
  await Promise.all([desired.refresh('plan', [agent]), desired.refresh('plan', 'all')])
  t.same(published, [1, 2])
  await desired.republish(agent)
  t.same(published, [1, 2, 2], 'the same again')
  await desired.republish(agent, { plan: 40 })
  t.same(published, [1, 2, 2, 41], 'above what the agent holds')
  time.now += 4 * day
  await desired.republish(agent)
  t.same(published, [1, 2, 2, 41, 42], 'before it expires')
})

t.test(
  'what agents would refuse is not signed: the last document stays, it is told, and others get theirs',
  async (t) => {
    const { deps, authority, invite, ask, time } = await controllerIn(t)
    const [{ agent: sound }, { agent: unsound }] = [await ask(await invite()), await ask(await invite())]
    const published: string[] = []
    const told: unknown[] = []
    let quickEverySeconds = 300
    const desired = makeDesired(deps, authority, {
      composePlan: async (_sql, agent) =>
        agent === sound
          ? { ...emptyPlan, neverBlock: [`198.18.0.${quickEverySeconds % 256}/32`] }
          : { ...emptyPlan, scan: { ...emptyPlan.scan, quickEverySeconds } },
      composeBlocks: async () => noBlocks,
      publish: async (to, kind, { body }) =>
        void (kind === 'plan' && published.push(`${to === sound ? 'sound' : 'unsound'} ${JSON.parse(body).revision}`)),
      unmade: (agent, kind, error) => void told.push({ agent, kind, error }),
    })
    await desired.refresh('plan', 'all')
    t.same(published.splice(0).sort(), ['sound 1', 'unsound 1'])
    quickEverySeconds = 604_801
    await desired.refresh('plan', 'all')
    t.same(published.splice(0), ['sound 2'])
    t.match(told.splice(0), [
      {
        agent: unsound,
        kind: 'plan',
        error: { code: 'DOCUMENT_UNSOUND', message: /scan\.quickEverySeconds is 604801/ },
      },
    ])
    time.now += 4 * day
    await desired.republish(unsound)
    t.same(published, ['unsound 1'], 'what it holds is sent again rather than nothing')
    t.equal(told.length, 1)
  },
)

t.test('what claims with a planned segment gets the tags of its place', async (t) => {
  const { invite, ask, store, time } = await controllerIn(t)
  const segments = [
    { name: 'office', appliances: 1, tags: ['canary'] },
    { name: 'dmz', appliances: 0, tags: ['other'] },
  ]
  await store.tx((sql) =>
    planSite(sql, { name: 'hq', plan: { tags: ['retail'], segments }, template: null, now: time.now }),
  )
  const { agent } = await ask(await invite())
  t.same(await tagsOf(store, agent), ['canary', 'retail'])
})
