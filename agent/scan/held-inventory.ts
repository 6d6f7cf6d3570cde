import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { wordsOf } from '../../shared/errors.ts'
import { readIfThere, writeFileAtomic } from '../../shared/files.ts'
import { cidr4 } from '../../shared/schemas/common.ts'
import { hostSeen } from '../../shared/schemas/inventory.ts'
import type { Inventory } from './differences.ts'
import type { Due } from './schedule.ts'

const due = z.object({ quick: z.number(), full: z.number(), detail: z.number() })
const held = z.object({
  v: z.literal(1),
  segments: z.array(
    z.object({
      cidr: cidr4,
      due,
      surveyed: z.boolean(),
      hosts: z.array(z.object({ host: hostSeen, missed: z.int().min(0) })).max(65536),
    }),
  ),
})

/** What is known of one segment. `surveyed`: a quick pass was completed, so that a full picture is one. */
export type SegmentState = { due: Due; surveyed: boolean; inventory: Inventory }
export type SetAside = { path: string; aside: string; why: string }

export const heldPath = (stateDir: string): string => join(stateDir, 'inventory.json')

/** The inventory from before the restart. A damaged file is set aside and told, and the inventory begins anew. */
export async function readInventory(
  stateDir: string,
  now: number,
): Promise<{ segments: Map<string, SegmentState>; damage?: SetAside }> {
  const path = heldPath(stateDir)
  const text = await readIfThere(path)
  if (text === undefined) return { segments: new Map() }
  try {
    const { segments } = held.parse(JSON.parse(text))
    return {
      segments: new Map(
        segments.map(({ cidr, hosts, ...rest }) => [
          cidr,
          { ...rest, inventory: new Map(hosts.map((one) => [one.host.ip, one as never])) },
        ]),
      ),
    }
  } catch (error) {
    const aside = `${path}.damaged-${now}`
    await rename(path, aside)
    return { segments: new Map(), damage: { path, aside, why: wordsOf(error).slice(0, 200) } }
  }
}

/** `quickDue: false`: without when the next quick pass is due, which alone is no reason to write. */
export const textOfInventory = (segments: ReadonlyMap<string, SegmentState>, quickDue = true): string =>
  JSON.stringify({
    v: 1,
    segments: [...segments].map(([cidr, { inventory, due, ...rest }]) => ({
      cidr,
      due: quickDue ? due : { ...due, quick: 0 },
      ...rest,
      hosts: [...inventory.values()],
    })),
  })

export const writeInventory = (stateDir: string, segments: ReadonlyMap<string, SegmentState>): Promise<void> =>
  writeFileAtomic(heldPath(stateDir), textOfInventory(segments))
