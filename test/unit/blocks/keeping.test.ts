import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeBlocks } from '../../../agent/blocks/index.ts'
import type { Nft } from '../../../agent/blocks/nft.ts'
import type { Report } from '../../../agent/spool/port.ts'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import type { BlockList } from '../../../shared/schemas/desired-state.ts'

const list = (revision: number, cidrs: string[], neverBlock: string[] = []): BlockList => ({
  kind: 'blocks',
  agent: newId(),
  revision,
  issuedAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + 3600_000).toISOString(),
  entries: cidrs.map((cidr) => ({ id: newId(), cidr, until: new Date(Date.now() + 600_000).toISOString() })),
  neverBlock,
})

/** Collects what is told and lets a test await the first record that fits. */
function listener() {
  const told: Record<string, unknown>[] = []
  const waiting: { fits: (record: Record<string, unknown>) => boolean; done: (r: Record<string, unknown>) => void }[] =
    []
  const report: Report = async (_stream, records) => {
    for (const record of records as unknown as Record<string, unknown>[]) {
      told.push(record)
      for (const one of waiting) if (one.fits(record)) one.done(record)
    }
  }
  const next = (fits: (record: Record<string, unknown>) => boolean) =>
    new Promise<Record<string, unknown>>((done) => {
      const held = told.find(fits)
      if (held) done(held)
      else waiting.push({ fits, done })
    })
  return { told, report, next }
}

const brokenNft: Nft = {
  apply: async () => {
    throw new MarshlightError('COMMAND_FAILED', { command: 'nft', why: 'Operation not permitted', next: '' })
  },
  list: async () => '{"nftables":[]}',
}

/** A kernel that holds the one address of the last script. */
function heldNft(scripts: string[] = []): Nft {
  let set: string | undefined
  const elem = () => (set ? [{ elem: { val: set, expires: 600 } }] : [])
  return {
    apply: async (script) => {
      scripts.push(script)
      set = script.match(/198\.18\.40\.\d+(?= timeout)/)?.[0]
    },
    list: async () => JSON.stringify({ nftables: [{ set: { name: 'blocked', elem: elem() } }] }),
  }
}

const parts = (stateDir: string, report: Report, nft: Nft) => ({
  report,
  clock: systemClock,
  log: silentLog,
  role: 'enforcer' as const,
  nics: async () => [],
  stateDir,
  nft,
})

t.test('a kernel that refuses is told as a rejection with its words', async (t) => {
  const { report, next } = listener()
  const blocks = makeBlocks(parts(t.testdir(), report, brokenNft))
  await blocks.start(AbortSignal.timeout(10_000))
  blocks.applyBlocks(list(3, ['198.18.40.9/32']))
  const record = await next((one) => one.document === 'blocks')
  t.match(record, { outcome: 'rejected', revision: 3, code: 'COMMAND_FAILED', reason: /Operation not permitted/ })
  await blocks.stop()
})

t.test('of lists that come in a burst the latest is put in force', async (t) => {
  const scripts: string[] = []
  const nft = heldNft(scripts)
  const { report, next } = listener()
  const blocks = makeBlocks(parts(t.testdir(), report, nft))
  for (let i = 1; i <= 50; i++) blocks.applyBlocks(list(i, [`198.18.40.${i}/32`]))
  await blocks.start(AbortSignal.timeout(10_000))
  for (let i = 51; i <= 99; i++) blocks.applyBlocks(list(i, [`198.18.40.${i}/32`]))
  t.match(await next((one) => one.revision === 99), { outcome: 'applied', count: 1 })
  t.ok(scripts.length < 5, `${scripts.length} transactions for 99 lists`)
  await blocks.stop()
})

t.test(
  'with a clock two hours ahead no block is in force, each is told as over, and all are as soon as it is set',
  async (t) => {
    let aheadMs = 7_200_000
    const clock = { ...systemClock, now: () => Date.now() + aheadMs }
    const { report, next } = listener()
    const wanted = list(7, ['198.18.40.9/32', '198.18.40.77/32'], ['198.18.40.77/32'])
    const ids = wanted.entries.map(({ id }) => id)
    const blocks = makeBlocks({ ...parts(t.testdir(), report, heldNft()), clock, reconcileEverySeconds: 0.02 })
    await blocks.start(AbortSignal.timeout(10_000))
    blocks.applyBlocks(wanted)
    t.match(await next((one) => one.revision === 7), { outcome: 'applied', count: 0, expired: ids, refused: undefined })
    aheadMs = 0
    t.match(await next((one) => one.count === 1), {
      outcome: 'applied',
      revision: 7,
      expired: undefined,
      refused: [ids[1]],
      code: 'NEVER_BLOCK',
    })
    await blocks.stop()
  },
)

t.test('a damaged file of held blocks is set aside and told, and the start goes on', async (t) => {
  const dir = t.testdir()
  await writeFile(join(dir, 'blocks.json'), '{"kind":"blocks","revision":')
  const { report, next } = listener()
  const blocks = makeBlocks(parts(dir, report, brokenNft))
  await blocks.start(AbortSignal.timeout(10_000))
  t.match(await next((one) => one.type === 'notice'), { code: 'STATE_CORRUPT', level: 'error' })
  t.match((await readdir(dir))[0], /^blocks\.json\.damaged-/)
  await blocks.stop()
})
