export { type ActivitySource, noteActivity, type Week, weekOf } from './activity.ts'
export { segmentsAged } from './aged.ts'
export { differencesOf, type HostDifference } from './differences.ts'
export type { Host } from './host.ts'
export { leftTables } from './left.ts'
export type { MapAttacker, MapDecoy, MapInput, MapSegment } from './map-layout.ts'
export { svgMap } from './map-svg.ts'
export { textMap } from './map-text.ts'
export { type Mix, mixOf, systemOf } from './mix.ts'
export { segmentOf } from './place.ts'
export { type InventoryDeps, makeInventoryProjector, type OwnAddresses } from './projector.ts'
export {
  type HistoryEntry,
  historyBetween,
  historyOf,
  hostsOf,
  listScans,
  listSegments,
  type Scan,
  type Segment,
} from './queries.ts'
export { segmentActivityTables, segmentTables } from './tables.ts'
