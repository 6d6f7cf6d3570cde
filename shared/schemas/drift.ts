import { z } from 'zod'
import { ipv4 } from './common.ts'

/** A controlled deviation of a decoy's behaviour: what is done, how strongly, and when. Each is bounded: a decoy stays usable. */

export const intensity = z.enum(['low', 'medium', 'high'])
export const driftType = z.enum(['latency', 'alteration', 'error', 'schedule'])

/** No answer waits longer than this, whatever is composed, milliseconds. */
export const mostDelayMs = 3000
/** Of answers, at most this part fails or is altered, whatever is composed. */
export const mostShare = 0.3
/** Hours of a day without an answer, whatever is composed. */
export const mostHours = 8
/** Attackers of a decoy that have a view of their own. */
export const mostViews = 256

const share = z.number().min(0).max(mostShare)

/**
 * `fixed` waits `ms` each time; `jitter` draws each wait from a log-normal with median `ms` and deviation `spread` of the
 * logarithm; `load` waits `ms` for each other session that is open.
 */
export const latencyEffect = z.object({
  type: z.literal('latency'),
  form: z.enum(['fixed', 'jitter', 'load']),
  ms: z.number().min(0).max(mostDelayMs),
  spread: z.number().min(0).max(2).default(0),
})
/** What is changed in a `share` of answers: bytes of a file's end, numbers in fields, contents, entries of a listing, versions. */
export const alterationEffect = z.object({
  type: z.literal('alteration'),
  what: z.enum(['bytes', 'fields', 'contents', 'listing', 'version']),
  share,
})
/**
 * How a `share` of requests fails, in the words of the protocol; none ends a session but `reset`. `refused` is of new
 * connections, and of further sessions in one of SSH; what is open goes on.
 */
export const errorEffect = z.object({
  type: z.literal('error'),
  kind: z.enum(['refused', 'reset', 'busy', 'timeout', 'disk']),
  share,
})
/** Hours of the persona's own day in which the service answers nobody, as in a window of maintenance. */
export const scheduleEffect = z.object({
  type: z.literal('schedule'),
  hours: z.array(z.int().min(0).max(23)).min(1).max(mostHours),
})
export const driftEffect = z.discriminatedUnion('type', [latencyEffect, alterationEffect, errorEffect, scheduleEffect])

/** Several effects at once, drawn from one seed: the same seed gives the same waits and the same failures in the same order. */
export const drift = z
  .object({ seed: z.string().min(1).max(64), effects: z.array(driftEffect).min(1).max(8) })
  .superRefine(({ effects }, context) => {
    for (const [type, words] of [
      ['error', 'errors'],
      ['alteration', 'alterations'],
    ] as const) {
      const part = sum(effects, type, ({ share = 0 }) => share)
      if (part > mostShare)
        context.addIssue(`${words} add up to ${part} of all answers; at most ${mostShare}, or the decoy is of no use`)
    }
    const quiet = new Set(effects.flatMap((effect) => (effect.type === 'schedule' ? effect.hours : []))).size
    if (quiet > mostHours) context.addIssue(`it would be silent ${quiet} hours a day; at most ${mostHours}`)
    const waits = sum(effects, 'latency', ({ ms = 0 }) => ms)
    if (waits > mostDelayMs) context.addIssue(`waits add up to ${waits} ms; at most ${mostDelayMs}`)
  })

function sum(
  effects: readonly DriftEffect[],
  type: DriftType,
  of: (effect: { share?: number; ms?: number }) => number,
): number {
  const all = effects.filter((effect) => effect.type === type).reduce((all, effect) => all + of(effect as never), 0)
  // A tenth and two tenths are three tenths.
  return Math.round(all * 1e6) / 1e6
}

/** What one attacker meets instead of what everyone does; null: no drift at all. */
export const driftView = z.object({ source: ipv4, drift: drift.nullable() })

/**
 * The drift in force at a decoy (control file `drift.json`). Cowrie takes all of it for its own ports; for every other port
 * the pod's network does what can be done to packets: waits, refused, reset, timeout, busy as a long wait, hours without an
 * answer, and digits changed in plain text. An open session feels a change within a second.
 */
export const decoyDrift = z.object({
  everyone: drift.nullable().default(null),
  views: z.array(driftView).max(mostViews).default([]),
})

export type Intensity = z.infer<typeof intensity>
export type DriftType = z.infer<typeof driftType>
export type DriftEffect = z.infer<typeof driftEffect>
export type Drift = z.infer<typeof drift>
export type DriftView = z.infer<typeof driftView>
export type DecoyDrift = z.infer<typeof decoyDrift>

export const noDrift: DecoyDrift = { everyone: null, views: [] }
