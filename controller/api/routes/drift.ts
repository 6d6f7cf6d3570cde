import type { Routes } from '../port.ts'

/** `/v1/drift`: settings of decoys' drift. */
export const driftRoutes: Routes = () => undefined
