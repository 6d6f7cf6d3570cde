import { z } from 'zod'
import { auditReport } from './audit.ts'
import type { StreamName } from './envelope.ts'
import { decoyEvent, filePart } from './event.ts'
import { fullPicture, hostGone, hostSeen, scanReport, segmentSeen } from './inventory.ts'
import { mimicryReport, patternsSeen } from './mimicry.ts'
import { featureWindow } from './observation.ts'
import { decoyState, documentState, health, notice } from './state.ts'
import { updateState } from './update.ts'

/** Which records a stream carries. */
export const streamRecords = {
  state: z.discriminatedUnion('type', [decoyState, documentState, notice, auditReport, updateState]),
  events: decoyEvent,
  files: filePart,
  inventory: z.discriminatedUnion('type', [segmentSeen, hostSeen, hostGone, fullPicture, scanReport]),
  health,
  features: z.discriminatedUnion('type', [featureWindow, mimicryReport, patternsSeen]),
} as const satisfies Record<StreamName, z.ZodType>

export type StreamRecord<S extends StreamName> = z.infer<(typeof streamRecords)[S]>
