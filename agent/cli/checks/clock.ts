import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere } from '../../../shared/files.ts'
import type { Identity } from '../../enrol/index.ts'
import { type Check, type Outcome, usualMs } from './check.ts'

/** What was dated so far ahead means that this clock is behind. */
const slackMs = 60_000
/** Before this program was. */
const oldest = Date.parse('2026-01-01')

export const clock: Check = {
  name: 'clock',
  withinMs: usualMs,
  async run({ clock: own, stateDir, identity }) {
    return judgeClock(own.now(), await newestSigned(join(stateDir, 'documents')), identity && issuedAt(identity))
  },
}

/** `signed`: when the controller signed what came last. `issued`: from when on this box's certificate is good. */
export function judgeClock(now: number, signed: number | undefined, issued: number | undefined): Outcome {
  const shown = `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const next = 'Set it: `timedatectl set-ntp true`, or by hand `date -u -s "YYYY-MM-DD HH:MM"`.'
  if (now < oldest) return { ok: false, detail: `this box believes that it is ${shown}, which cannot be`, next }
  const latest = Math.max(signed ?? 0, issued ?? 0)
  if (latest - now > slackMs) {
    const behind = inWords(latest - now)
    return { ok: false, detail: `${shown} is at least ${behind} behind what the controller signed`, next }
  }
  return { ok: true, detail: `${shown}${latest > 0 ? ', which fits what the controller signed' : ''}` }
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 600) return `${seconds} s`
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** Of what this box holds the newest was signed then: no clock can be before that. */
export async function signedBefore(stateDir: string, identity: Pick<Identity, 'certificate'>): Promise<number> {
  return Math.max(issuedAt(identity), (await newestSigned(join(stateDir, 'documents'))) ?? 0)
}

const issuedAt = ({ certificate }: Pick<Identity, 'certificate'>): number =>
  Date.parse(new X509Certificate(certificate).validFrom)

/** When the newest held document was signed, milliseconds. */
async function newestSigned(folder: string): Promise<number | undefined> {
  const times: number[] = []
  for (const name of ['plan.json', 'blocks.json']) {
    const text = await readIfThere(join(folder, name)).catch(() => undefined)
    try {
      if (text) times.push(Date.parse(JSON.parse(JSON.parse(text).body).issuedAt))
    } catch {
      // A damaged document is told when the agent starts.
    }
  }
  const good = times.filter(Number.isFinite)
  return good.length > 0 ? Math.max(...good) : undefined
}
