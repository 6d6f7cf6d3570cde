import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { wordsOf } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { type BlockList, blockList } from '../../shared/schemas/desired-state.ts'

export const heldPath = (stateDir: string): string => join(stateDir, 'blocks.json')

/** What was set aside, and why. */
export type SetAside = { path: string; aside: string; why: string }

/** The list that was in force before the restart. A damaged file is set aside and told; it never keeps us from starting. */
export async function readHeld(
  stateDir: string,
  now: number,
): Promise<{ list?: BlockList | undefined; damage?: SetAside }> {
  const path = heldPath(stateDir)
  const text = await readIfThere(path)
  if (text === undefined) return {}
  try {
    return { list: blockList.parse(JSON.parse(text)) }
  } catch (error) {
    const aside = `${path}.damaged-${now}`
    await rename(path, aside)
    return { damage: { path, aside, why: wordsOf(error).slice(0, 200) } }
  }
}

export const writeHeld = (stateDir: string, list: BlockList): Promise<void> =>
  writeFileAtomic(heldPath(stateDir), JSON.stringify(list))
