export { type Ingest, type IngestDeps, makeIngest } from './ingest.ts'
export { makeRetention } from './retention.ts'
export { ingestTables } from './tables.ts'
