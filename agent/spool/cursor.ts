import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { id } from '../../shared/schemas/common.ts'
import { loss } from '../../shared/schemas/envelope.ts'

/**
 * What a stream knows beside its segments. Written before anything it replaces is deleted, and never ahead of the
 * acknowledgement: an old cursor only makes the link send again what the centre knows already.
 */
export const cursorSchema = z.object({
  v: z.literal(1),
  epoch: id,
  acknowledged: z.int().min(0),
  next: z.int().min(0),
  losses: z.array(loss),
  positions: z.record(z.string(), z.object({ file: z.string(), offset: z.number() })),
})
export type Cursor = z.infer<typeof cursorSchema>

const cursorPath = (folder: string) => join(folder, 'cursor.json')

export const writeCursor = (folder: string, cursor: Cursor): Promise<void> =>
  writeFileAtomic(cursorPath(folder), JSON.stringify(cursor))

/** The cursor; undefined where there is none; where it is damaged, it is set aside and told. */
export async function readCursor(
  folder: string,
  now: number,
): Promise<{ cursor?: Cursor; damage?: { path: string; aside: string; why: string } }> {
  const path = cursorPath(folder)
  const text = await readIfThere(path)
  if (text === undefined) return {}
  try {
    return { cursor: cursorSchema.parse(JSON.parse(text)) }
  } catch (error) {
    const aside = `${path}.corrupt-${now}`
    await rename(path, aside)
    return { damage: { path, aside, why: error instanceof z.ZodError ? (error.issues[0]?.message ?? '') : 'not JSON' } }
  }
}
