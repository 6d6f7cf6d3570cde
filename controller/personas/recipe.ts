import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { Sql } from '../store/port.ts'
import { type BuildInput, build } from './build.ts'
import type { Catalogue } from './catalogue.ts'
import { canonical, digestOf } from './digest.ts'
import { nextVersion } from './next-version.ts'
import type { Ouis } from './ouis.ts'
import { readPersona } from './records.ts'
import { restored } from './restore.ts'

/** What a version was made from. Digests name rows of `persona_sources`; `catalogue` is the one of the data of the program. */
export const recipe = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('build'),
    seed: z.string(),
    template: z.string(),
    inputs: z.string(),
    catalogue: z.string(),
  }),
  z.strictObject({
    kind: z.literal('next'),
    /** The version it was made of; its number follows the newest. */
    of: z.int().min(1),
    seed: z.string(),
    because: z.string(),
    now: z.number(),
    catalogue: z.string(),
  }),
  z.strictObject({ kind: z.literal('restore'), of: z.int().min(1), because: z.string(), now: z.number() }),
])
export type Recipe = z.infer<typeof recipe>

export type PersonaData = { catalogue: Catalogue; ouis: Ouis; digest: string }

type Inputs = Omit<BuildInput, 'seed' | 'template' | 'taken'> & { taken: string[] }

/** Keeps what a build was made from; within the caller's transaction. Many personas of one inventory share a row. */
export async function keepRecipe(sql: Sql, input: BuildInput, catalogue: string): Promise<Recipe> {
  const { seed, template, taken, neighbours, ...rest } = input
  const plain = neighbours.map(({ ip, mac, vendor, names, os, ports }) => ({ ip, mac, vendor, names, os, ports }))
  const inputs: Inputs = { ...rest, neighbours: plain as Inputs['neighbours'], taken: [...taken].sort() }
  return {
    kind: 'build',
    seed,
    template: await keep(sql, 'template', template),
    inputs: await keep(sql, 'inputs', inputs),
    catalogue,
  }
}

async function keep(sql: Sql, kind: 'template' | 'inputs', value: unknown): Promise<string> {
  const digest = digestOf(value)
  await sql.run(
    'INSERT INTO persona_sources (digest, kind, body) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING',
    digest,
    kind,
    gzipSync(canonical(value)),
  )
  return digest
}

async function source<T>(sql: Sql, digest: string): Promise<T> {
  const row = await sql.get<{ body: Uint8Array }>('SELECT body FROM persona_sources WHERE digest = ?', digest)
  if (!row)
    throw new MarshlightError('NOT_FOUND', {
      kind: 'source of a persona',
      value: digest,
      command: 'marshlight personas ls',
    })
  return JSON.parse(gunzipSync(row.body).toString('utf8')) as T
}

export type Rebuilt = { persona: Persona; digest: string; kept: string; equal: boolean; changed: string[] }

/** Makes a version again from what is kept, and holds it against the one that was stored, bit for bit. */
export async function rebuild(sql: Sql, id: string, version: number, data: PersonaData): Promise<Rebuilt> {
  const row = await sql.get<{ recipe: string | null; digest: string | null; body: string }>(
    'SELECT recipe, digest, body FROM personas WHERE id = ? AND version = ?',
    id,
    version,
  )
  if (!row)
    throw new MarshlightError('NOT_FOUND', {
      kind: 'persona version',
      value: version,
      command: 'marshlight personas show',
    })
  if (row.recipe === null)
    throw new MarshlightError('CONFLICT', {
      what: `version ${version} was made before recipes were kept`,
      next: 'Reconfigure or replace the decoy; new versions can be rebuilt.',
    })
  const made = recipe.parse(JSON.parse(row.recipe))
  const persona = await again(sql, id, version, made, data)
  const digest = digestOf(persona)
  const kept = digestOf(JSON.parse(row.body))
  const changed = [
    ...('catalogue' in made && made.catalogue !== data.digest
      ? ['the data files of the program are others than then']
      : []),
    ...(row.digest !== kept ? ['the stored version is not the one that was written'] : []),
  ]
  return { persona, digest, kept, equal: digest === kept && row.digest === kept, changed }
}

async function again(sql: Sql, id: string, version: number, made: Recipe, data: PersonaData): Promise<Persona> {
  if (made.kind === 'build') {
    const { taken, ...inputs } = await source<Inputs>(sql, made.inputs)
    const template = await source<BuildInput['template']>(sql, made.template)
    return build({ ...inputs, template, seed: made.seed, taken: new Set(taken) }, data.catalogue, data.ouis)
  }
  const old = await readPersona(sql, id, made.of)
  if (!old)
    throw new MarshlightError('NOT_FOUND', {
      kind: 'persona version',
      value: made.of,
      command: 'marshlight personas show',
    })
  if (made.kind === 'restore') return restored(version, old, made)
  return nextVersion({ ...old, version: version - 1 }, made.because, {
    catalogue: data.catalogue,
    random: seededRandom(made.seed),
    now: made.now,
  }).persona
}
