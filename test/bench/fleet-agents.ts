/**
 * A fleet of boxes in one process (fleet-box.ts says what of a box each has).
 *
 * In: {identities, folder, publicText, broken, breaks}; {report: true}. Out: {settled: n} when all are connected; {report: ...}.
 */
import type { Identity } from '../../agent/enrol/index.ts'
import { parsePublicKey } from '../../shared/minisign.ts'
import { type Fleet, makeFleetBox } from './fleet-box.ts'
import { until } from './until.ts'

type Ask =
  | { identities: Identity[]; folder: string; publicText: string; broken: string; breaks: number }
  | { report: true }
export type FleetReport = Fleet['did'] & { runs: Record<string, number> }

const did: Fleet['did'] = { fetching: 0, mostFetching: 0, bytes: 0, breaks: 0, tookBroken: 0, failed: [] }
const boxes: ReturnType<typeof makeFleetBox>[] = []
const say = (message: object) => void process.send?.(message)

async function begin({ identities, folder, publicText, broken, breaks }: Extract<Ask, { broken: string }>) {
  const key = parsePublicKey(publicText)
  if (!key) throw new Error('the release key cannot be read')
  const fleet: Fleet = { folder, keys: [key], broken, did }
  for (let at = 0; at < identities.length; at += 10) {
    const some = identities.slice(at, at + 10).map((identity, i) => makeFleetBox(identity, fleet, at + i < breaks))
    for (const box of some) await box.start()
    boxes.push(...some)
    await until(async () => some.every((box) => box.isSettled()), 'ten boxes are connected')
  }
  say({ settled: boxes.length })
}

process.on('message', (asked: Ask) => {
  if ('identities' in asked) return void begin(asked)
  const runs: Record<string, number> = {}
  for (const box of boxes) runs[box.runs()] = (runs[box.runs()] ?? 0) + 1
  say({ report: { ...did, runs } satisfies FleetReport })
})
// Who forked us is gone.
process.on('disconnect', () => process.exit())
