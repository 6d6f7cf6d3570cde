import type { Arrivals } from '../../link/index.ts'
import type { Routes } from '../port.ts'

/** /v1/link: agents that are connected, and those that are coming; of use when many come at once. */
export const linkRoutes =
  ({ arrivals }: { arrivals(): Arrivals }): Routes =>
  (app) =>
    void app.get('/v1/link', async () => arrivals())
