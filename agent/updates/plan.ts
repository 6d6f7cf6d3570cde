import type { DesiredUpdate } from '../../shared/schemas/update.ts'
import type { Current } from './held.ts'
import type { PlanRules, Seen, Step, Steps } from './steps.ts'

/**
 * What is to be done next so that this box runs what is desired. Pure. The first step is done, then all is looked at
 * again. An empty answer means that nothing is left to do, or nothing before `wakeAt`.
 *
 * `now` is of a clock that does not leap: milliseconds since this process began.
 * A trial that has begun is decided before anything else, whatever the plan says meanwhile.
 */
export function plan(seen: Seen, desired: DesiredUpdate | undefined, now: number, rules: PlanRules): Steps {
  const { held, offline } = seen
  const { current } = held
  if (current?.phase === 'trial') return decide(seen, current, now, rules)
  const over = (rollout: string) => held.settled.some((one) => one.rollout === rollout)
  if (offline && over(offline.rollout)) return first({ do: 'forgetOffline' })
  const wanted = offline ?? (desired && !over(desired.rollout) ? desired : undefined)
  if (current) {
    if (wanted?.rollout !== current.rollout)
      return first({ do: 'abandon', because: wanted ? 'another release is wanted' : 'the plan no longer names it' })
    const install = current.source === 'offline' || desired?.step === 'install'
    return prepare(seen, current, install, rules)
  }
  if (wanted) return first({ do: 'begin', source: wanted === offline ? 'offline' : 'plan', desired: wanted })
  return tidy(seen)
}

const first = (...steps: Step[]): Steps => ({ steps })

function prepare(seen: Seen, current: Current, install: boolean, rules: PlanRules): Steps {
  const wanted = current.parts.filter(({ stage }) => stage === 'wanted')
  if (wanted.length > 0)
    return first(
      ...wanted.flatMap((part): Step[] => {
        const from = seen.bytes[part.sha256] ?? 0
        const verify: Step = { do: 'verify', part }
        return from === part.bytes ? [verify] : [{ do: 'fetch', part, from: from > part.bytes ? 0 : from }, verify]
      }),
    )
  if (current.parts.length === 0) return first({ do: 'conclude', phase: 'confirmed' })
  if (current.phase === 'fetching') return first({ do: 'enter', phase: 'fetched' })
  if (!install) return first()
  if (current.phase === 'fetched') return first({ do: 'enter', phase: 'installing' })
  if (current.attempts >= rules.attempts) return first(failed('UPDATE_UNUSABLE', current.missing))
  const left = current.parts.filter(({ stage }) => stage === 'fetched')
  return first(...left.map((part): Step => ({ do: 'install', part })), { do: 'enter', phase: 'trial' })
}

const failed = (code: string, reason: string | undefined): Step => ({
  do: 'conclude',
  phase: 'failed',
  code,
  ...(reason !== undefined && { reason }),
})

/** A trial: the launcher's files say what became of it; this process says it of itself while it is the one on trial. */
function decide(seen: Seen, current: Current, now: number, rules: PlanRules): Steps {
  const { launcher, env } = seen
  const { rollout } = current
  if (launcher.confirmed?.rollout === rollout) return first({ do: 'conclude', phase: 'confirmed' })
  if (launcher.failed?.rollout === rollout) return first(rolledBack(launcher.failed.why, current))
  if (!env) return first(failed('UPDATE_NO_LAUNCHER', 'the agent was started without its launcher'))
  if (env.trial !== rollout) {
    // Whoever starts this agent does not look at the trial: once more, and not for ever.
    if (current.attempts >= rules.attempts) return first(failed('UPDATE_UNUSABLE', 'its trial could not be begun'))
    return first({ do: 'switch', name: nameOf(current, env.runs) })
  }
  return judgeTrial(seen, current, now, rules)
}

function judgeTrial(seen: Seen, current: Current, now: number, rules: PlanRules): Steps {
  if (current.slot !== undefined && seen.running.slot !== current.slot) {
    const reason = `slot ${current.slot} did not start; this is slot ${seen.running.slot ?? '?'}`
    return first({ do: 'goBack', reason })
  }
  const deadline = current.confirmWithinSeconds * 1000 - rules.marginMs
  if (seen.missing === undefined) {
    const due = Math.min((seen.wellSince ?? now) + steadyMs(current, rules), deadline)
    return now >= due ? first({ do: 'confirm' }) : first()
  }
  return now < deadline ? first() : first({ do: 'goBack', reason: seen.missing })
}

/** A third of the time there is, at most. */
const steadyMs = (current: Current, rules: PlanRules) =>
  Math.min(rules.steadyMs, (current.confirmWithinSeconds * 1000) / 3)

/** The agent's own part says which folder; without one the version that runs is tried with what else is new. */
export const nameOf = (current: Current, runs: string): string =>
  current.parts.find(({ component }) => component === 'agent')?.version ?? runs

function rolledBack(why: string, { missing }: Current): Step {
  const told: Record<string, [code: string, reason: string]> = {
    crashed: ['UPDATE_CRASHED', 'it ended by itself each time it was started'],
    late: ['UPDATE_UNWELL', 'it did not report well in time'],
    unusable: ['UPDATE_UNUSABLE', 'its files are not whole'],
    told: ['UPDATE_UNWELL', 'it gave itself up'],
  }
  const [code, reason] = told[why] ?? ['UPDATE_UNWELL', why]
  return { do: 'conclude', phase: 'rolled-back', code, reason: missing ? `${reason}: ${missing}` : reason }
}

/** Nothing is under way: what no version needs goes. Parts stay: a release that was withdrawn may come back. */
function tidy({ held, launcher, env }: Seen): Steps {
  const { confirmed, previous } = launcher
  // Of another package's time: the launcher passes them over.
  const kept = [confirmed, previous].flatMap((one) => (one && one.base === env?.base ? [one.name] : []))
  const versions = launcher.folders.filter((name) => !kept.includes(name) && name !== env?.runs)
  const stray = launcher.trial !== undefined || launcher.failed !== undefined
  if (versions.length > 0 || stray) return first({ do: 'cleanUp', versions })
  return held.unwanted.length > 0 ? first({ do: 'dropImages', tags: held.unwanted }) : first()
}
