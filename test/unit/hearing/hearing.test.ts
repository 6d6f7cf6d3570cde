import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeHearing } from '../../../agent/hearing/index.ts'
import { silentLog } from '../../../shared/log.ts'
import { seededRandom } from '../../../shared/random.ts'
import type { Plan } from '../../../shared/schemas/desired-state.ts'
import { featureWindow } from '../../../shared/schemas/observation.ts'

const recording = readFileSync(join(import.meta.dirname, '../capture/conversation.pcap'))
const cidr = '198.18.90.0/24'
const plan = (segments: string[]) =>
  ({
    decoys: [],
    scan: { decoyMacs: [] },
    observe: { segments, mirrorPorts: ['mirror0'], windowSeconds: 60 },
  }) as unknown as Plan

t.test('windows of a segment while the plan names it, and not a word of it after that', async (t) => {
  let now = Date.parse('2026-11-21T15:00:30Z')
  const steps: (() => void)[] = []
  const told: unknown[] = []
  const conversed: string[] = []
  let [lookups, most] = [0, 0]
  const open = new Map<string, { mirror: boolean; end: () => void }>()
  const hearing = makeHearing({
    stateDir: t.testdir(),
    report: async (_stream, records) => void told.push(...records),
    clock: {
      now: () => now,
      // Time stands still until the test moves it; a plan that comes wakes it too.
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
          steps.push(() => {
            now += ms
            resolve()
          })
        }),
    },
    random: seededRandom('hearing'),
    log: silentLog,
    nics: async () => [{ nic: 'eth0', cidr, mac: '00:50:56:00:00:02' }],
    ownDecoys: () => [],
    async listen(nic, { mirror }, onBytes) {
      let end = (_why: string) => {}
      const ended = new Promise<string>((resolve) => {
        end = resolve
      })
      const stop = async () => {
        open.delete(nic)
        end('stopped')
      }
      open.set(nic, { mirror, end: () => end('broken') })
      setImmediate(() => onBytes(recording))
      const counts = async () => ({ captured: 9, received: 9, dropped: mirror ? 4 : 0, final: false })
      return { pid: 1, ended, stop, counts, pause() {}, resume() {} }
    },
    onConversations: async (of, conversations, { hosts }) => {
      conversed.push(`${of} ${conversations.length > 0}`)
      lookups += conversations.filter(({ kind }) => kind === 'dns').flatMap(({ exchanges }) => exchanges).length
      most = Math.max(most, hosts)
    },
  })
  /** Lets time pass until it is so. */
  const passUntil = async (so: () => boolean) => {
    while (!so()) {
      await new Promise((resolve) => setImmediate(resolve))
      steps.shift()?.()
    }
  }
  hearing.applyPlan(plan([cidr]))
  await hearing.start(new AbortController().signal)
  t.teardown(() => hearing.stop())
  await passUntil(() => told.length > 0)
  const window = featureWindow.parse(told[0])
  t.match(window, { subject: { kind: 'segment', cidr }, service: 'segment', missed: 4 })
  t.same(
    [...open.values()].map(({ mirror }) => mirror),
    [false, true],
    'its own card, and the mirror port whole',
  )
  await passUntil(() => conversed.length > 2)
  t.ok(conversed.includes(`${cidr} true`), 'conversations go to mimicry')
  t.strictSame({ lookups, most }, { lookups: 3, most: 2 }, 'what both cards heard came once')
  t.notMatch(JSON.stringify(told.map((one) => ({ ...(one as object), subject: undefined }))), /\d+\.\d+\.\d+\.\d+/)

  const before = told.length
  hearing.applyPlan(plan([]))
  await passUntil(() => open.size === 0)
  const later = now + 300_000
  await passUntil(() => now > later)
  t.equal(told.length, before, 'what was gathered goes untold')
})
