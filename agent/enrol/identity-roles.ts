import { z } from 'zod'

export const role = z.enum(['decoys', 'enforcer'])
export type Role = z.infer<typeof role>
