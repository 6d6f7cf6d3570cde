import type { Profile } from '../../shared/schemas/baseline.ts'
import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import type { Sql } from '../store/port.ts'
import { isEmpty } from './admit.ts'
import { findSubject, type Subject } from './subjects.ts'

/** A window as it came, also one under drift or with gaps: what detection scores. */
export type KeptWindow = {
  at: string
  seconds: number
  service: string
  profile: Profile
  /** Mark of the drift in force; undefined where it changed in the window, or where no drift can be. */
  drift?: string
  missed: number
  /** Of those alone who met that drift and not everyone's; it has no rates. */
  apart: boolean
}

/** `n`: its position in the stream, since two hosts of a kind may be asked in the same instant. */
export async function keepWindow(sql: Sql, subject: number, window: FeatureWindow, n: number): Promise<void> {
  const profile = Object.fromEntries(Object.entries(window.profile).filter(([, feature]) => !isEmpty(feature)))
  await sql.run(
    `INSERT INTO baseline_windows (subject, at, n, seconds, service, drift, missed, profile, apart) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (subject, at, n) DO NOTHING`,
    subject,
    window.at,
    n,
    window.seconds,
    window.service,
    window.drift ?? null,
    window.missed,
    JSON.stringify(profile),
    window.apart ? 1 : 0,
  )
}

/** Windows that ended after `from` and not after `to` (ISO 8601), oldest first. Samples without values are left out. */
export async function windowsOf(
  sql: Pick<Sql, 'get' | 'all' | 'run'>,
  subject: Subject,
  from: string,
  to: string,
): Promise<KeptWindow[]> {
  const known = await findSubject(sql, subject)
  if (!known) return []
  const rows = await sql.all<
    Omit<KeptWindow, 'profile' | 'drift' | 'apart'> & { drift: string | null; profile: string; apart: number }
  >(
    `SELECT at, seconds, service, drift, missed, profile, apart FROM baseline_windows
     WHERE subject = ? AND at > ? AND at <= ? ORDER BY at, n LIMIT 5000`,
    known.id,
    from,
    to,
  )
  return rows.map(({ drift, profile, apart, ...row }) => ({
    ...row,
    apart: apart === 1,
    ...(drift !== null && { drift }),
    profile: JSON.parse(profile),
  }))
}
