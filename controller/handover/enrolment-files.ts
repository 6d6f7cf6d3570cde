import { readdir } from 'node:fs/promises'
import { MarshlightError } from '../../shared/errors.ts'
import {
  type EnrolmentFile,
  enrolmentFile,
  parseEnrolmentFile,
  type SiteSettings,
} from '../../shared/schemas/enrolment-file.ts'

/** An invitation as the controller answers it. `code` and `codeExpiresAt` where one was asked for. */
export type Invited = {
  token: string
  controller: string
  site: string
  segment: string
  name?: string | undefined
  expiresAt: string
  /** The networks it is good in, where not anywhere. */
  within?: string[]
  code?: string
  codeExpiresAt?: string
}

const longestPart = 24
const slug = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, longestPart)
    .replaceAll(/^-|-$/g, '') || 'x'

/** What files for a segment are called, before their number. */
export const stemOf = (site: string, segment: string): string => `${slug(site)}-${slug(segment)}`
export const numbered = (stem: string, number: number): string => `${stem}-${String(number).padStart(2, '0')}`

/** The first number after all that files of this segment in `folder` bear: none is ever written over. */
export async function nextNumber(folder: string, stem: string): Promise<number> {
  const numbers = (await readdir(folder)).map((name) =>
    name.startsWith(`${stem}-`) ? Number.parseInt(name.slice(stem.length + 1), 10) || 0 : 0,
  )
  return Math.max(0, ...numbers) + 1
}

/** The text of the file by which the invited box enrols. Throws ENROLMENT_FILE_INVALID where it would not be read. */
export function enrolmentText(invited: Invited, settings: SiteSettings, hostname: string): string {
  const { token: claim, controller, site, segment } = invited
  const file: EnrolmentFile = { marshlight: 1, claim, controller, site, segment, hostname, ...settings }
  const text = `${JSON.stringify(file, null, 2)}\n`
  parseEnrolmentFile(text, 'the enrolment file')
  return text
}

/** Whether files can be made for these at all; asked before a claim is made. Throws USAGE. */
export function checkNames(site: string, segment: string): void {
  const { shape } = enrolmentFile
  for (const [key, value] of Object.entries({ site, segment }))
    if (!shape[key as 'site' | 'segment'].safeParse(value).success)
      throw new MarshlightError('USAGE', {
        what: `--${key} ${JSON.stringify(value)} cannot stand in an enrolment file: at most 64 characters, no blank at its ends`,
        command: 'marshlight agents invite',
      })
}
