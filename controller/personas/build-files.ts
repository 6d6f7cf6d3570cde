import { type Random, seededRandom } from '../../shared/random.ts'
import type { HoneyCredential, PersonaFile, PersonaSchedule, PersonaService } from '../../shared/schemas/persona.ts'
import { application } from './files/application.ts'
import { backup } from './files/backup.ts'
import type { FilesInput, Maker, Sheet } from './files/context.ts'
import { crontabs } from './files/cron.ts'
import { camera, nas, openwrt, windows } from './files/devices.ts'
import { documents } from './files/documents.ts'
import { history } from './files/history.ts'
import { keys } from './files/keys.ts'
import { webPages } from './files/web.ts'
import type { Template } from './template.ts'

export type BuiltFiles = {
  files: PersonaFile[]
  honey: HoneyCredential[]
  services: PersonaService[]
  cron: PersonaSchedule['cron']
}

/** All files of a persona together, at most. */
export const mostBytes = 96 * 1024
const mostFiles = 128
const mostHoney = 16

type Content = Exclude<Template['content'][number], 'cron'>
const makers: Record<Content, Maker> = { history, keys, backup, application, documents, openwrt, camera, nas, windows }

/**
 * Files that nobody but this host has, drawn from the seed alone: each maker from a stream of its own, so that one that
 * draws more does not change the others. Logs are not here: they grow inside the decoy from the schedule.
 */
export function buildFiles(input: FilesInput, seed: string): BuiltFiles {
  const sheetFor = (random: Random): Sheet => ({ input, random, files: [], honey: [], cron: [] })
  const all = sheetFor(seededRandom(`${seed}/files`))
  const add = (sheet: Sheet) => {
    for (const file of sheet.files) if (fits(all.files, file)) all.files.push(file)
    const kept = new Set(all.files.map(({ path }) => path))
    for (const one of sheet.honey) if (kept.has(one.path) && all.honey.length < mostHoney) all.honey.push(one)
    all.cron.push(...sheet.cron.filter(({ command }) => kept.has(command.split(' ')[0] ?? '')))
  }
  for (const kind of input.template.content) {
    if (kind === 'cron') continue
    const sheet = sheetFor(seededRandom(`${seed}/files/${kind}`))
    makers[kind](sheet)
    add(sheet)
  }
  const web = sheetFor(seededRandom(`${seed}/files/web`))
  const services = webPages(web, input.services)
  add(web)
  const cron = [...input.schedule.cron, ...all.cron]
  if (input.template.content.includes('cron')) {
    const at = new Date(Math.floor(input.installedAt / 1000) * 1000).toISOString()
    for (const file of crontabs(cron.filter(isOwn(input.template)), at)) if (fits(all.files, file)) all.files.push(file)
  }
  return { files: all.files, honey: all.honey, services, cron }
}

/** Where cron is a package, that brings `/etc/crontab` itself, and the image has it. */
export const isOwn =
  ({ packages }: Pick<Template, 'packages'>) =>
  ({ file }: { file: string }): boolean =>
    packages === null || file !== '/etc/crontab'

/** Bounds hold whatever is drawn: what does not fit any more is left out whole. */
function fits(held: readonly PersonaFile[], file: PersonaFile): boolean {
  const bytes = held.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0) + Buffer.byteLength(file.content)
  return held.length < mostFiles && bytes <= mostBytes && !held.some(({ path }) => path === file.path)
}
