import { join } from 'node:path'
import { adaptationTables, adaptationVisitTables } from '../adaptation/index.ts'
import { alertTables } from '../alerts/index.ts'
import { attackerTables } from '../attackers/index.ts'
import { auditTables } from '../audit/index.ts'
import { apartTables, baselineTables, forgottenTables } from '../baselines/index.ts'
import { condemnedTables, decoyTables } from '../decoys/index.ts'
import { detectionTables } from '../detection/index.ts'
import { driftSettingTables } from '../drift/index.ts'
import { careTables, certificateTables, codeTables, fleetTables, keyTables, lateTables } from '../fleet/index.ts'
import { ingestTables } from '../ingest/index.ts'
import { mimicryMovedTables, mimicryTables } from '../mimicry/index.ts'
import { personaOriginTables, personaTables } from '../personas/index.ts'
import { responseTables, unenforcedTables } from '../response/index.ts'
import { riskTables } from '../risk/index.ts'
import { leftTables, segmentActivityTables, segmentTables } from '../segments/index.ts'
import { sessionAuditTables, sessionTables } from '../sessions/index.ts'
import { coreTables } from '../store/core-tables.ts'
import type { Migration } from '../store/port.ts'
import { updateTables } from '../updates/index.ts'

export const databaseIn = (dataDir: string) => join(dataDir, 'marshlight.db')

/** Every room's tables; the core's come first, since others refer to them. */
export const migrations: readonly Migration[] = [
  coreTables,
  fleetTables,
  ingestTables,
  segmentTables,
  personaTables,
  personaOriginTables,
  decoyTables,
  sessionTables,
  attackerTables,
  riskTables,
  responseTables,
  unenforcedTables,
  alertTables,
  auditTables,
  sessionAuditTables,
  segmentActivityTables,
  baselineTables,
  forgottenTables,
  apartTables,
  condemnedTables,
  driftSettingTables,
  mimicryTables,
  mimicryMovedTables,
  adaptationTables,
  adaptationVisitTables,
  detectionTables,
  certificateTables,
  updateTables,
  codeTables,
  careTables,
  keyTables,
  leftTables,
  lateTables,
]
