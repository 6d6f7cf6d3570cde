import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { silentLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { loadConfig } from '../config.ts'
import { loadIdentity } from '../enrol/index.ts'
import { segmentCards } from './cards.ts'
import { asJson, type Terminal } from './print.ts'
import { askStatus } from './status-socket.ts'

export type CleanupCommand = {
  stateDir: string
  /** Removes identity, spool and documents too: the machine has to enrol anew. */
  forget: boolean
  dryRun: boolean
  json: boolean
  clock: Clock
  random: Random
}

type Step = { name: string; what: string; run(): Promise<void> }
type Outcome = { name: string; what: string; ok: boolean; reason?: string; next?: string }

/** Removes what the agent made on this machine. Refuses while it runs: it would make it again. */
export async function cleanup(o: CleanupCommand, terminal: Terminal): Promise<number> {
  const running = await askStatus(o.stateDir)
  if (running && !o.dryRun)
    throw new MarshlightError('CONFLICT', {
      what: `the agent runs (process ${running.pid}) and would make everything anew`,
      next: `Stop it first: \`kill ${running.pid}\`, or Ctrl-C where it runs.`,
    })
  const outcomes: Outcome[] = []
  for (const { name, what, run } of await steps(o)) {
    const outcome = o.dryRun ? { name, what, ok: true } : await attempt(name, what, run)
    outcomes.push(outcome)
    if (o.json) continue
    terminal.out(`${o.dryRun ? 'would remove' : outcome.ok ? 'removed' : 'FAILED to remove'} ${what}`)
    if (outcome.reason) terminal.out(`  ${outcome.reason}${outcome.next ? `\n  -> ${outcome.next}` : ''}`)
  }
  const kept = o.forget ? [] : [o.stateDir]
  if (o.json) terminal.out(asJson({ ok: outcomes.every(({ ok }) => ok), dryRun: o.dryRun, steps: outcomes, kept }))
  else if (!o.forget) terminal.out(`kept ${o.stateDir}: identity, records that wait, captures; --forget removes them`)
  return outcomes.every(({ ok }) => ok) ? 0 : 1
}

async function attempt(name: string, what: string, run: () => Promise<void>): Promise<Outcome> {
  try {
    await run()
    return { name, what, ok: true }
  } catch (error) {
    const next = error instanceof MarshlightError ? { next: error.next } : {}
    return { name, what, ok: false, reason: wordsOf(error), ...next }
  }
}

async function steps(o: CleanupCommand): Promise<Step[]> {
  const config = await loadConfig(o.stateDir)
  const identity = await loadIdentity(o.stateDir).catch(() => undefined)
  const found: Step[] = []
  if (identity?.roles.includes('decoys')) {
    found.push({
      name: 'decoys',
      what: `containers and networks of ${identity.name}`,
      async run() {
        const { makeDockerEngine } = await import('../engine/index.ts')
        const engine = makeDockerEngine({
          socket: config.docker.socket,
          agentLabel: identity.agent,
          log: silentLog,
          clock: o.clock,
          random: o.random,
        })
        const { removeAll } = await import('../decoys/index.ts')
        await removeAll({ engine, agent: identity.agent, folder: join(o.stateDir, 'decoys') })
      },
    })
  }
  for (const role of ['decoys', 'enforcer'] as const) {
    if (identity && !identity.roles.includes(role)) continue
    found.push({
      name: 'blocks',
      what:
        role === 'decoys'
          ? 'packet filter of the cards (table netdev marshlight)'
          : 'packet filter of the gateway (table inet marshlight)',
      async run() {
        const { makeBlocks } = await import('../blocks/index.ts')
        await makeBlocks({
          report: async () => {},
          clock: o.clock,
          log: silentLog,
          role,
          nics: async () => segmentCards(config.nics).map(({ name }) => name),
          stateDir: o.stateDir,
        }).cleanup()
      },
    })
  }
  const { pageSharingIsOurs, putPageSharingBack } = await import('../health/index.ts')
  if (await pageSharingIsOurs(o))
    found.push({
      name: 'page sharing',
      what: 'the kernel’s sharing of pages, which is put back as it was',
      run: () => putPageSharingBack(o),
    })
  if (o.forget)
    found.push({
      name: 'state',
      what: `the state folder ${o.stateDir}: identity, spool, documents`,
      run: () => rm(o.stateDir, { recursive: true, force: true }),
    })
  return found
}
