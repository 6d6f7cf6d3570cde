import { newId } from '../shared/ids.ts'
import type { Plan } from '../shared/schemas/desired-state.ts'

/** A plan that asks for nothing but what the test says; without scans unless it enables them. */
export const plainPlan = (said: Partial<Omit<Plan, 'scan'>> = {}, scan: Partial<Plan['scan']> = {}): Plan => ({
  kind: 'plan',
  agent: newId(),
  revision: 1,
  issuedAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  decoys: [],
  personas: [],
  neverBlock: [],
  ...said,
  scan: {
    enabled: false,
    ranges: [],
    exclude: [],
    decoyMacs: [],
    maxRate: 1000,
    quickEverySeconds: 3600,
    detailEverySeconds: 3600,
    fullPictureEverySeconds: 3600,
    maxHosts: 1024,
    ...scan,
  },
})
