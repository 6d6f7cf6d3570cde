import { readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'
import { type Catalogue, readCatalogue, unknownNames } from './catalogue.ts'
import { threats } from './data-files.ts'
import { resolveTemplate, type TemplateFault } from './resolve-template.ts'
import type { Template } from './template.ts'

export type Refused = TemplateFault & { file: string }
export type Places = { dataDir: string; templates: string; threats?: string | undefined }

const mostFiles = 256

/**
 * The catalogue with what an administrator added: templates of a folder, weights of threats. What is broken is refused,
 * each with its place and value, and never keeps the controller from working with the rest.
 */
export function readCatalogueWith({ dataDir, templates: folder, threats: feed }: Places): {
  catalogue: Catalogue
  refused: Refused[]
} {
  const inside = (path: string) => (isAbsolute(path) ? path : join(dataDir, path))
  const shipped = readCatalogue()
  const refused: Refused[] = []
  const templates: Template[] = [...shipped.templates]
  for (const file of namesIn(inside(folder), refused)) {
    const checked = checkTemplate(file, { ...shipped, templates })
    if ('faults' in checked) refused.push(...checked.faults)
    else templates.push(checked.template)
  }
  return { catalogue: { ...shipped, templates, threats: feedOf(shipped, feed && inside(feed), refused) }, refused }
}

/** One file of an administrator against the schema and the names of the catalogue. */
export function checkTemplate(file: string, catalogue: Catalogue): { template: Template } | { faults: Refused[] } {
  const raw = jsonOf(file)
  if ('fault' in raw) return { faults: [raw.fault] }
  const found = resolveTemplate(raw.value, catalogue.templates)
  if ('faults' in found) return { faults: found.faults.map((one) => ({ ...one, file })) }
  const { template } = found
  const fault = (path: string, value: string, why: string, next: string) => ({
    faults: [{ file, path, value, why, next }],
  })
  if (catalogue.templates.some(({ id }) => id === template.id))
    return fault('id', template.id, 'there is a template of this id', 'Give it another id.')
  const [unknown] = unknownNames(template, catalogue)
  if (unknown !== undefined)
    return fault('a name', template.id, unknown, 'Use one of those; docs/personas.md lists them.')
  return { template }
}

function jsonOf(file: string): { value: unknown } | { fault: Refused } {
  try {
    return { value: JSON.parse(readFileSync(file, 'utf8')) }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code !== undefined
    const next = isMissing ? 'Check its name and its rights.' : 'Mend its JSON.'
    return {
      fault: { file, path: 'the file', value: isMissing ? 'unreadable' : 'not JSON', why: wordsOf(error), next },
    }
  }
}

function namesIn(folder: string, refused: Refused[]): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
    return names
      .sort()
      .slice(0, mostFiles)
      .map((name) => join(folder, name))
  } catch (error) {
    // No folder: the administrator has no templates.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      refused.push({
        file: folder,
        path: 'the folder',
        value: 'unreadable',
        why: wordsOf(error),
        next: 'Check its rights.',
      })
    return []
  }
}

function feedOf(shipped: Catalogue, file: string | undefined, refused: Refused[]): Catalogue['threats'] {
  if (file === undefined) return shipped.threats
  const raw = jsonOf(file)
  if ('fault' in raw) {
    refused.push(raw.fault)
    return shipped.threats
  }
  const parsed = threats.safeParse(raw.value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path.join('.') || 'the file'
  refused.push({
    file,
    path,
    value: 'see the file',
    why: issue?.message ?? '',
    next: `Mend ${path}; the weights of the program are used.`,
  })
  return shipped.threats
}
