import type { FeatureWindow } from '../../shared/schemas/observation.ts'
import { segmentOf } from '../segments/index.ts'
import type { Sql } from '../store/port.ts'

/** Whose behaviour is kept. Services are all real ones of a kind in a segment: which host it was is not kept. */
export type Subject =
  | { kind: 'decoy'; decoy: string; port?: number | undefined }
  | { kind: 'service'; segment: string; service: string }
  | { kind: 'segment'; segment: string }
  | { kind: 'mimicry'; decoy: string; instance: number }

export type SubjectRow = {
  id: number
  key: string
  kind: Subject['kind']
  segment: string | null
  decoy: string | null
  port: number | null
  instance: number | null
  service: string
  first_at: string
  last_at: string
}

/** A name for it, as `marshlight baselines` takes it. */
export function keyOf(subject: Subject): string {
  switch (subject.kind) {
    case 'decoy':
      return ['decoy', subject.decoy, ...(subject.port === undefined ? [] : [subject.port])].join('/')
    case 'service':
      return ['service', subject.segment, subject.service].join('/')
    case 'segment':
      return ['segment', subject.segment].join('/')
    case 'mimicry':
      return ['mimicry', subject.decoy, subject.instance].join('/')
  }
}

/** Whose window it is, with its segment; undefined where the agent stands in no such segment or the decoy is not its own. */
export async function subjectOf(
  sql: Sql,
  agent: string,
  { subject, service }: FeatureWindow,
): Promise<{ subject: Subject; segment: string } | undefined> {
  if (subject.kind === 'service' || subject.kind === 'segment') {
    const segment = await segmentOf(sql, agent, subject.cidr)
    if (segment === undefined) return undefined
    return {
      segment,
      subject: { segment, ...(subject.kind === 'service' ? { kind: 'service', service } : { kind: 'segment' }) },
    }
  }
  const row = await sql.get<{ segment: string }>(
    'SELECT segment FROM decoys WHERE id = ? AND agent = ?',
    subject.decoy,
    agent,
  )
  return row && { segment: row.segment, subject }
}

export const findSubject = (sql: Sql, subject: Subject): Promise<SubjectRow | undefined> =>
  sql.get<SubjectRow>('SELECT * FROM baseline_subjects WHERE key = ?', keyOf(subject))

/** Its row, made where it is new. */
export async function placeSubject(
  sql: Sql,
  subject: Subject,
  { segment, service, at }: { segment: string; service: string; at: string },
): Promise<number> {
  const own = subject as { decoy?: string; port?: number; instance?: number }
  await sql.run(
    `INSERT INTO baseline_subjects (key, kind, segment, decoy, port, instance, service, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET service = excluded.service, last_at = max(last_at, excluded.last_at)`,
    keyOf(subject),
    subject.kind,
    segment,
    own.decoy ?? null,
    own.port ?? null,
    own.instance ?? null,
    service,
    at,
    at,
  )
  return ((await findSubject(sql, subject)) as SubjectRow).id
}
