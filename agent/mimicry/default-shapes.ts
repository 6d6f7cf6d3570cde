import { z } from 'zod'
import { trafficPattern } from '../../shared/schemas/mimicry.ts'
import shapes from './default-shapes.json' with { type: 'json' }
import type { Pattern } from './patterns.ts'

/** What hosts do where nobody has seen the segment's do it: names, updates, the time, each other; a few an hour. */
export const defaultShapes: readonly Pattern[] = z.array(trafficPattern).parse(shapes)
