import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readIfThere, writeFileAtomic } from '../shared/files.ts'
import { siteSettings } from '../shared/schemas/enrolment-file.ts'

/** What the enrolment file said beside its claim, kept over the file's own life. */
const keptSite = siteSettings.extend({
  v: z.literal(1),
  site: z.string().max(64).optional(),
  segment: z.string().max(64).optional(),
  hostname: z.string().max(63).optional(),
})
export type KeptSite = z.infer<typeof keptSite>

export const keptSitePath = (stateDir: string) => join(stateDir, 'site.json')

/** The settings of this box's site; undefined where none were brought. What cannot be read is set aside: DHCP is better than no start. */
export async function readKeptSite(stateDir: string): Promise<KeptSite | undefined> {
  const path = keptSitePath(stateDir)
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  try {
    return keptSite.parse(JSON.parse(text))
  } catch {
    await rename(path, `${path}.corrupt`).catch(() => undefined)
    return undefined
  }
}

export const saveKeptSite = (stateDir: string, site: KeptSite): Promise<void> =>
  writeFileAtomic(keptSitePath(stateDir), textOfSite(site), 0o600)

/** The same for the same settings, whatever their order was in the file. */
export const textOfSite = (site: KeptSite): string => `${JSON.stringify(keptSite.parse(site), null, 2)}\n`
