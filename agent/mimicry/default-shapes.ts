import { z } from 'zod'
import { trafficPattern } from '../../shared/schemas/mimicry.ts'
import shapes from './default-shapes.json' with { type: 'json' }
import type { Pattern } from './patterns.ts'

/** Where nobody has seen the segment: lookups of names and checks for updates, a few an hour. */
export const defaultShapes: readonly Pattern[] = z.array(trafficPattern).parse(shapes)
