import { wordsOf } from '../../../shared/errors.ts'
import type { Check, CheckContext, Outcome } from './check.ts'

export type Examined = { name: string } & Outcome

/**
 * All checks side by side, each under its own deadline, so that the whole lasts as long as the slowest. Given back in
 * the order of the list, which is that of cause and consequence.
 */
export async function examine(checks: readonly Check[], context: CheckContext): Promise<Examined[]> {
  const due = checks.filter(({ roles }) => !roles || roles.includes(context.role))
  const outcomes = await Promise.all(due.map((check) => bounded(check, context)))
  return explain(due, outcomes)
}

/** What failed, or has a note, while something that it rests on failed points there, to the first cause. */
export function explain(checks: readonly Check[], outcomes: readonly Outcome[]): Examined[] {
  const failed = new Map<string, string>()
  return checks.map(({ name, rests = [] }, index) => {
    const outcome = outcomes[index] as Outcome
    if (outcome.ok && outcome.next === undefined) return { name, ...outcome }
    const cause = rests.map((other) => failed.get(other)).find((one) => one !== undefined)
    if (!outcome.ok) failed.set(name, cause ?? name)
    if (cause === undefined) return { name, ...outcome }
    const { next: _, ...told } = outcome
    return { name, ...told, follows: cause }
  })
}

async function bounded(check: Check, context: CheckContext): Promise<Outcome> {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      ending.abort(new Error('too late'))
      resolve({
        ok: false,
        detail: `could not be finished within ${check.withinMs / 1000} s`,
        next: 'Look again in a minute; if it stays so, restart the box.',
      })
    }, check.withinMs)
  })
  try {
    return await Promise.race([check.run(context, ending.signal), late])
  } catch (error) {
    return { ok: false, detail: wordsOf(error), next: 'Run it again as root.' }
  } finally {
    clearTimeout(timer)
    ending.abort(new Error('over'))
  }
}
