import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { silentLog } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { loadConfig } from '../config.ts'
import type { Engine } from '../engine/port.ts'
import { segmentCards } from './cards.ts'
import { type Owner, ownerOf } from './owner.ts'
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

const keptBack = {
  reason: 'kept, since it tells what of the rest is this agent’s',
  next: 'Mend what failed above, and run the same command again.',
}

/** Removes what the agent made on this machine. Refuses while it runs: it would make it again. */
export async function cleanup(o: CleanupCommand, terminal: Terminal): Promise<number> {
  const running = await askStatus(o.stateDir)
  if (running && !o.dryRun)
    throw new MarshlightError('CONFLICT', {
      what: `the agent runs (process ${running.pid}) and would make everything anew`,
      next: `Stop it first: \`kill ${running.pid}\`, or Ctrl-C where it runs.`,
    })
  const outcomes: Outcome[] = []
  const found = await cleanupSteps(o, await ownerOf(o.stateDir))
  if (o.forget)
    found.push({
      name: 'state',
      what: `the state folder ${o.stateDir}: identity, spool, documents`,
      run: () => rm(o.stateDir, { recursive: true, force: true }),
    })
  for (const { name, what, run } of found) {
    // The state tells what is ours: without it, what is left now would be left for good.
    const left = name === 'state' && outcomes.some(({ ok }) => !ok)
    const outcome = o.dryRun
      ? { name, what, ok: true }
      : left
        ? { name, what, ok: false, ...keptBack }
        : await attempt(name, what, run)
    outcomes.push(outcome)
    if (o.json) continue
    terminal.out(`${o.dryRun ? 'would remove' : outcome.ok ? 'removed' : 'FAILED to remove'} ${what}`)
    if (outcome.reason) terminal.out(`  ${outcome.reason}${outcome.next ? `\n  -> ${outcome.next}` : ''}`)
  }
  const kept = o.forget ? [] : [o.stateDir]
  if (o.json) terminal.out(asJson({ ok: outcomes.every(({ ok }) => ok), dryRun: o.dryRun, steps: outcomes, kept }))
  else if (!o.forget)
    terminal.out(
      `${o.dryRun ? 'would keep' : 'kept'} ${o.stateDir}: identity, records that wait, captures; --forget removes them`,
    )
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

/** What removes all that this agent made outside its state folder; of one that is not known, what any may have made. */
export async function cleanupSteps(
  o: Pick<CleanupCommand, 'stateDir' | 'clock' | 'random'>,
  owner: Owner | undefined,
): Promise<Step[]> {
  const config = await loadConfig(o.stateDir)
  const had = (role: 'decoys' | 'enforcer') => owner?.roles?.includes(role) ?? true
  const found: Step[] = []
  // Who knows no roles any more had decoys where there is their folder.
  if (owner && (owner.roles ? had('decoys') : await isThere(join(o.stateDir, 'decoys'))))
    found.push({
      name: 'decoys',
      what: `containers and networks of ${owner.name ?? owner.agent ?? 'an agent whose identity is damaged'}`,
      run: () => removeDecoys(o, config.docker.socket, owner.agent),
    })
  for (const role of ['decoys', 'enforcer'] as const) {
    if (!had(role)) continue
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
  return found
}

async function removeDecoys(
  o: Pick<CleanupCommand, 'stateDir' | 'clock' | 'random'>,
  socket: string,
  agent: string | undefined,
): Promise<void> {
  const { makeDockerEngine } = await import('../engine/index.ts')
  const { removeAll } = await import('../decoys/index.ts')
  const { clock, random } = o
  const engine = makeDockerEngine({ socket, agentLabel: agent ?? 'unknown', log: silentLog, clock, random })
  const folder = join(o.stateDir, 'decoys')
  if (agent !== undefined) await removeAll({ engine, agent, folder })
  else await refuseIfAny(engine)
}

/** Without its id nobody can tell this agent's decoys from those of another on this machine, and those are not ours. */
async function refuseIfAny(engine: Pick<Engine, 'networks'>): Promise<void> {
  const some = (await engine.networks()).filter(({ labels }) => labels['marshlight.agent'] !== undefined)
  if (some.length === 0) return
  throw new MarshlightError('CONFLICT', {
    what: `the identity is damaged, and ${some.map(({ name }) => name).join(', ')} may be of this agent or of another`,
    next: 'See `docker ps -a --filter label=marshlight.agent`, remove what is of this one, and run this again.',
  })
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
