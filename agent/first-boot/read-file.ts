import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import {
  type EnrolmentFile,
  enrolmentFileName,
  parseEnrolmentFile,
  parseSiteSettings,
} from '../../shared/schemas/enrolment-file.ts'
import { parseToken } from '../enrol/index.ts'
import type { KeptSite } from '../kept-site.ts'
import type { SeenFile } from './plan.ts'

/** What a used file says in place of its claim; the settings beside it may be edited, and are taken again. */
const usedFile = z.object({
  marshlight: z.literal(1),
  claimed: z.string().max(400),
  agent: z.string().max(64),
  site: z.string().max(64).optional(),
  segment: z.string().max(64).optional(),
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/)
    .optional(),
})

/** A file's text as what it is. Never throws, never quotes a claim. */
export function readFileText(text: string, where: string): SeenFile {
  const file = `${enrolmentFileName} on ${where}`
  try {
    const used = usedFile.safeParse(jsonOf(text))
    if (used.success) {
      const { claimed, agent, site, segment, hostname } = used.data
      const seen = { kind: 'used', where, agent, claimed } as const
      // The short form, for which there was no more room, says nothing of the settings.
      if (site === undefined) return seen
      const settings = parseSiteSettings(JSON.stringify(withoutNote(jsonOf(text))), file)
      return { ...seen, site: { v: 1, site, segment, hostname, ...settings } }
    }
    const parsed = parseEnrolmentFile(text, file)
    // Whether it is late yet is the controller's to say: this clock may be wrong.
    const { id } = parseToken(parsed.claim, 0)
    return { kind: 'claim', where, claimId: id, file: parsed, site: siteOf(parsed) }
  } catch (error) {
    if (error instanceof MarshlightError) return { kind: 'bad', where, error }
    throw error
  }
}

function siteOf(parsed: EnrolmentFile): KeptSite {
  const { marshlight: _, claim: __, controller: ___, ...site } = parsed
  return { v: 1, ...site }
}

/** What stands in the file once its claim was used, as short as it has to be to fit in its place. */
export function usedText(file: EnrolmentFile, by: { agent: string; name: string; at: string }, most: number): string {
  const { claim: _, controller: __, marshlight, ...rest } = file
  const note = { marshlight, claimed: `claimed by ${by.name} at ${by.at}`, agent: by.agent }
  const whole = `${JSON.stringify({ ...note, ...rest })}\n`
  if (Buffer.byteLength(whole) <= most) return whole
  const short = `${JSON.stringify(note)}\n`
  return Buffer.byteLength(short) <= most ? short : ''
}

const noteKeys = new Set(['marshlight', 'claimed', 'agent', 'site', 'segment', 'hostname'])
const withoutNote = (json: unknown) =>
  Object.fromEntries(Object.entries(json as object).filter(([key]) => !noteKeys.has(key)))

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}
