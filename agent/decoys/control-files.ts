import { createHash } from 'node:crypto'
import { chown } from 'node:fs/promises'
import { join } from 'node:path'
import { saysBusy } from '../../shared/busy-words.ts'
import { makeFolder, readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { type DesiredDecoy, serviceContainer } from '../../shared/schemas/desired-state.ts'
import { noDrift } from '../../shared/schemas/drift.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import { podNetwork } from './pod-network.ts'
import { foldersOf, serviceUser } from './specs.ts'

/** The files by which a running decoy is steered, by name. */
export type ControlFiles = Record<(typeof names)[number], string>

/** In the order they are written: the context, which services answer to, comes last. */
const names = ['egress.json', 'network.json', 'drift.json', 'mimicry.json', 'persona.json', 'context.json'] as const

export const controlFiles = (desired: DesiredDecoy, persona: Persona, revision: number): ControlFiles => ({
  'persona.json': JSON.stringify(persona),
  'context.json': JSON.stringify({ decoy: desired.id, revision }),
  'egress.json': JSON.stringify(desired.egress),
  'network.json': JSON.stringify(podNetwork(persona).file),
  'drift.json': JSON.stringify(
    desired.drift ? { ...desired.drift, saysBusy: saysBusy(persona, desired.services) } : noDrift,
  ),
  // What it is drawn from stays here: the pod needs who may be talked to, and how much.
  'mimicry.json': JSON.stringify(desired.mimicry ? { ...desired.mimicry, patterns: [] } : null),
})

export function controlDigest(files: ControlFiles): string {
  const hash = createHash('sha256')
  for (const name of names) hash.update(files[name]).update('\0')
  return hash.digest('hex')
}

/** All that the pod's packet filter is made from. */
export function filterText(files: ControlFiles): string {
  const { targets, answerOn } = JSON.parse(files['mimicry.json']) ?? {}
  return [files['egress.json'], files['network.json'], JSON.stringify({ targets, answerOn })].join('\n')
}

/** Names a packet filter: these rules, in that run of the pod. A new run starts with what its file said then. */
export const filterMark = (egress: string, pod: { id: string; startedAt?: string } | undefined): string =>
  createHash('sha256').update(`${pod?.id} ${pod?.startedAt} ${egress}`).digest('hex')

/** Digest of what stands in the folder, or undefined where a file is missing. */
export async function digestOnDisk(control: string): Promise<string | undefined> {
  const texts = await Promise.all(names.map((name) => readIfThere(join(control, name))))
  if (texts.some((text) => text === undefined)) return undefined
  return controlDigest(Object.fromEntries(names.map((name, i) => [name, texts[i]])) as ControlFiles)
}

/** Writes the files, and makes the folders that the decoy's services write to. */
export async function writeControl(folder: string, decoy: string, files: ControlFiles): Promise<void> {
  const { control } = foldersOf(folder, decoy)
  const own = serviceContainer.options.map((service) => foldersOf(folder, decoy, service))
  await makeFolder(control, 0o755)
  for (const folder of own.flatMap(({ out, state }) => [out, state])) {
    await makeFolder(folder, 0o755)
    await chown(folder, serviceUser.uid, serviceUser.gid)
  }
  for (const name of names)
    if ((await readIfThere(join(control, name))) !== files[name])
      await writeFileAtomic(join(control, name), files[name], 0o644)
}
