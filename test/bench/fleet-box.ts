import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pino from 'pino'
import { enrolAddress, type Identity, serverError } from '../../agent/enrol/index.ts'
import { makeLink } from '../../agent/link/index.ts'
import { fetchFile } from '../../agent/updates/fetch.ts'
import { fetchPart } from '../../agent/updates/fetch-part.ts'
import { isWhole, partPath, partsFolder } from '../../agent/updates/parts.ts'
import { judge } from '../../agent/updates/release.ts'
import { makeTokenBucket } from '../../agent/updates/token-bucket.ts'
import { isoNow, systemClock } from '../../shared/clock.ts'
import type { PublicKey } from '../../shared/minisign.ts'
import { systemRandom } from '../../shared/random.ts'
import type { DesiredUpdate, ReleasePart, UpdatePhase } from '../../shared/schemas/update.ts'
import { makeHeldSpool } from './held-spool.ts'

export type Fleet = {
  folder: string
  keys: readonly PublicKey[]
  /** A version that goes back by itself at each box that takes it. */
  broken: string
  /** What all boxes did together. */
  did: { fetching: number; mostFetching: number; bytes: number; breaks: number; tookBroken: number; failed: string[] }
}

const beatMs = 30_000
const log = pino({ level: 'silent' })

/**
 * A box of a fleet that is brought to a release. Of a real agent it has the link, and of its updates what looks at the
 * signature, fetches (ranges, breaks, waiting, its cap) and compares hashes. It installs nothing: what a box says on its way
 * from fetched to confirmed, or back, it says at once, and it is not started anew for that. `breaks`: its line breaks in
 * the midst of each part, once.
 */
export function makeFleetBox(identity: Identity, fleet: Fleet, breaks: boolean) {
  const stateDir = join(fleet.folder, identity.agent)
  const spool = makeHeldSpool(() => {})
  const settled = new Set<string>()
  let running = { arch: 'amd64' as const, agent: '0.9.0' }
  let desired: DesiredUpdate | undefined
  let renewed = new AbortController()
  let fetched: string | undefined
  let working = Promise.resolve()

  const link = makeLink({
    identity,
    checkServer: serverError,
    folder: join(stateDir, 'documents'),
    spool,
    report: (stream, records) => spool.append(stream, records),
    handlers: { onPlan: ({ update }) => apply(update), onBlocks: () => {}, onRequest: async () => ({ ok: true }) },
    clock: systemClock,
    random: systemRandom,
    log,
    about: { version: 'bench', hostname: identity.name, running: () => running },
  })

  function apply(update: DesiredUpdate | undefined): void {
    if (JSON.stringify(update) === JSON.stringify(desired)) return
    desired = update
    renewed.abort(new Error('the plan changed'))
    renewed = new AbortController()
    const { signal } = renewed
    working = working
      .then(() => (update && !settled.has(update.rollout) ? bring(update, signal) : undefined))
      .catch((error) => void (signal.aborted || fleet.did.failed.push(String(error))))
  }

  async function bring(update: DesiredUpdate, signal: AbortSignal): Promise<void> {
    const { manifest, parts } = judge(update, {
      ...{ keys: fleet.keys, running, highest: 0, hasLauncher: true, hasSlots: false, keepsDecoys: false },
    })
    const of = parts.reduce((sum, { bytes }) => sum + bytes, 0)
    const tell = (phase: UpdatePhase, more: object = {}) => {
      const { version } = manifest
      const at = new Date().toISOString()
      return spool.append('state', [{ type: 'update', at, rollout: update.rollout, version, phase, ...more, running }])
    }
    if (fetched !== update.rollout) {
      await tell('fetching', { bytes: 0, of })
      for (const part of parts) await fetch(manifest.version, part, update.bytesPerSecond, signal)
      fetched = update.rollout
      await tell('fetched', { bytes: of, of })
    }
    if (update.step !== 'install') return
    settled.add(update.rollout)
    await tell('installing')
    await tell('trial')
    if (manifest.version === fleet.broken) {
      fleet.did.tookBroken++
      return tell('rolled-back', { code: 'UPDATE_CRASHED', reason: 'it ended by itself' })
    }
    running = { ...running, agent: manifest.version }
    await tell('confirmed')
  }

  async function fetch(version: string, part: ReleasePart, perSecond: number | undefined, signal: AbortSignal) {
    await mkdir(partsFolder(stateDir), { recursive: true })
    const { ca, key, certificate: cert } = identity
    const origin = { ...enrolAddress(identity), ca, key, cert, checkServer: serverError }
    const path = `/v1/releases/${version}/${part.file}`
    const bucket = makeTokenBucket(systemClock, perSecond)
    const file = partPath(stateDir, part)
    const { did } = fleet
    let whole = !breaks
    let last = 0
    const common = { clock: systemClock, random: systemRandom, log, signal, part, file, from: 0 }
    const once: Parameters<typeof fetchPart>[0]['fetch'] = async (o) => {
      let coming = false
      try {
        await fetchFile({
          ...{ ...o, origin, path, bucket },
          onBytes(here) {
            if (!coming) did.mostFetching = Math.max(did.mostFetching, ++did.fetching)
            coming = true
            did.bytes += here - last
            last = here
            o.onBytes(here)
            if (whole || here < part.bytes / 2) return
            whole = true
            did.breaks++
            throw new Error('its line broke')
          },
        })
      } finally {
        if (coming) did.fetching--
      }
    }
    await fetchPart({ ...common, fetch: once }, () => {})
    if (!(await isWhole(stateDir, part))) throw new Error(`${part.file} is not what was signed`)
    await rm(file)
  }

  /** A box that says nothing for long would be called silent. */
  function beat(): void {
    const figures = { agentRssMb: 60, spoolMb: 0, spoolDepth: {}, probes: {} }
    void spool.append('health', [{ type: 'health', at: isoNow(systemClock), ...figures }])
  }

  return {
    async start() {
      await link.start(new AbortController().signal)
      setInterval(beat, beatMs).unref()
    },
    isSettled: () => {
      const { next, acknowledged } = spool.standing('state')
      return link.standing().connected && next === acknowledged
    },
    runs: () => running.agent,
  }
}
