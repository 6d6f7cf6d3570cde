import { z } from 'zod'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import { cidr4, id, ipv4, mac, untrusted, utc } from '../../shared/schemas/common.ts'
import { type DesiredDecoy, serviceContainer } from '../../shared/schemas/desired-state.ts'

/**
 * What the agent remembers of one decoy over restarts. Changed only by the pure functions below.
 *
 * ```
 *            failed (attempts < limit: later again)
 *              +--+
 *  waiting -> creating -> ready -> failing (died: restarted after retryAt, for ever) -> ready
 *                 |         \
 *                 |          -> withdrawn: a real host has the address; until the plan gives another
 *                 -> rejected: attempts used up; until the next revision, or until other images, another agent or another
 *                              system make it: an update brings them, and takes them back
 *  any -> condemned: seen to be unsafe; over every revision, until the plan bears one release more
 * ```
 */
export const entry = z.object({
  decoy: id,
  /** Revision of the plan these attempts belong to. */
  revision: z.int().min(0),
  /** And what made it in them: images, agent, system. Entries that were kept before there was this field have none. */
  madeWith: z.string().default(''),
  attempts: z.int().min(0),
  rejected: z.boolean(),
  /** Releases of the plan under which it was seen to be unsafe. */
  condemned: z.object({ releases: z.int().min(0) }).optional(),
  /** Releases of the plan that it follows. */
  releases: z.int().min(0).default(0),
  /** Milliseconds since 1970; nothing is done before. */
  retryAt: z.number().optional(),
  reason: untrusted(512).optional(),
  /** What is half done is cleared away before the next attempt. */
  clear: z.boolean(),
  withdrawn: z.object({ ip: ipv4, mac }).optional(),
  restarts: z.int().min(0),
  /** Deaths since it last held for a while. */
  deaths: z.int().min(0),
  /** The deaths counted already, by kind of container: its id and when it ended. */
  counted: z.record(z.string(), z.string()),
  readyAt: utc.optional(),
  /** Start of the service that was seen to answer. */
  readyStart: z.string().optional(),
  cidr: cidr4,
  ip: ipv4,
  mac,
  persona: id,
  personaVersion: z.int().min(1),
  /** Containers it shall have; those it ever had may still have events to be read. */
  services: z.array(serviceContainer).default(['cowrie']),
  served: z.array(serviceContainer).default(['cowrie']),
  /** No longer in the plan; kept until its last events are in the spool. */
  gone: z.boolean(),
})
export type Entry = z.infer<typeof entry>

export type AttemptRules = { attempts: number; firstMs: number; capMs: number; random: Random }
/** A decoy that answered for so long before it died is restarted at once. */
export const steadyMs = 60_000

const forgotten = 'it was taken down as unsafe before, and was not released since'
const noReason = { reason: undefined, retryAt: undefined } as const

/**
 * The entry as a new revision of the plan, or another `madeWith`, make it: attempts begin anew; a lost address stays lost until it changes, and
 * what is unsafe stays down until it is released.
 */
export function adopted(before: Entry | undefined, desired: DesiredDecoy, revision: number, madeWith = ''): Entry {
  const place = { cidr: desired.cidr, ip: desired.ip, mac: desired.mac, persona: desired.persona }
  const { services, releases = 0 } = desired
  const served = [...new Set([...(before?.served ?? []), ...services])]
  const current = {
    ...place,
    personaVersion: desired.personaVersion,
    services,
    served,
    gone: false,
    revision,
    madeWith,
    releases,
  }
  if (!before)
    return tidy({
      decoy: desired.id,
      attempts: 0,
      rejected: false,
      clear: false,
      restarts: 0,
      deaths: 0,
      counted: {},
      ...current,
      ...(desired.condemned && { condemned: { releases }, reason: forgotten }),
    })
  if (before.revision === revision && before.madeWith === madeWith && !before.gone) return before
  if (before.condemned && releases <= before.condemned.releases) return tidy({ ...before, ...current })
  if (desired.condemned) return tidy({ ...before, ...current, condemned: { releases }, reason: forgotten, clear: true })
  const stillTaken = before.withdrawn?.ip === desired.ip
  const past = before.rejected || before.condemned || before.attempts > 0
  const anew = { attempts: 0, rejected: false, condemned: undefined, ...(past ? noReason : {}) }
  return tidy({
    ...before,
    ...anew,
    ...current,
    ...(stillTaken || !before.withdrawn ? {} : { withdrawn: undefined, ...noReason }),
  })
}

/** After a step that failed. */
export function failed(before: Entry, reason: string, now: number, rules: AttemptRules): Entry {
  if (before.condemned) return before
  const attempts = before.attempts + 1
  const rejected = attempts >= rules.attempts
  const retryAt = rejected ? undefined : now + retryDelay(attempts, rules)
  return tidy({ ...before, attempts, rejected, retryAt, reason: reason.slice(0, 512), clear: true })
}

/** After one of its containers was seen to have ended by itself. One that never answered counts as an attempt. */
export function died(
  before: Entry,
  death: { kind: string; mark: string; exitCode: number; start: string },
  now: number,
  rules: AttemptRules,
): Entry {
  if (before.counted[death.kind] === death.mark) return before
  const counted = { ...before.counted, [death.kind]: death.mark }
  const reason = `its ${death.kind} ended with exit code ${death.exitCode}`
  const restarts = before.restarts + 1
  if (before.readyStart === undefined || before.readyStart !== death.start)
    return failed({ ...before, counted, restarts }, `${reason} before it answered`, now, rules)
  const held = now - Date.parse(before.readyStart) >= steadyMs
  const deaths = held ? 1 : before.deaths + 1
  const retryAt = deaths === 1 ? now : now + retryDelay(deaths - 1, { ...rules, capMs: 60_000 })
  return tidy({ ...before, counted, restarts, deaths, reason, retryAt })
}

/** After its services were seen to answer. `start` is when the service began to run, `at` is now, ISO. */
export function answered(before: Entry, start: string, at: string): Entry {
  if (before.readyStart === start && before.reason === undefined) return before
  const readyAt = before.readyAt ?? at
  return tidy({ ...before, ...noReason, readyStart: start, readyAt, attempts: 0, clear: false })
}

export function withdrawn(before: Entry, taken: { ip: string; mac: string }, reason: string): Entry {
  return tidy({ ...before, withdrawn: taken, reason, retryAt: undefined })
}

/** Its containers are gone; the next ones are new. */
export const cleared = (before: Entry): Entry =>
  tidy({ ...before, clear: false, counted: {}, readyAt: undefined, readyStart: undefined })

/** It was seen to be unsafe: nothing of it runs before it is released. */
export const condemned = (before: Entry, reason: string): Entry =>
  tidy({
    ...before,
    condemned: { releases: before.releases },
    clear: true,
    reason: reason.slice(0, 512),
    retryAt: undefined,
  })

export const departed = (before: Entry): Entry => tidy({ ...before, ...noReason, gone: true })

type Loose = { [K in keyof Entry]?: Entry[K] | undefined }
/** Without the fields that are undefined, which a strict optional field may not hold. */
const tidy = (loose: Loose): Entry =>
  Object.fromEntries(Object.entries(loose).filter(([, value]) => value !== undefined)) as Entry

/** Whether nothing of it may run, whatever the plan says. */
export const isHeldDown = ({ withdrawn, rejected, condemned }: Entry): boolean =>
  rejected || withdrawn !== undefined || condemned !== undefined
