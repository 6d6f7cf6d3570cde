import { blockBench } from './block.ts'
import { deployBench } from './deploy.ts'
import { driftAppliedBench } from './drift-applied.ts'
import { driftAppliedHttpBench } from './drift-applied-http.ts'
import { driftApplyBench } from './drift-apply.ts'
import { driftBanditBench } from './drift-bandit.ts'
import { driftBaselinesBench } from './drift-baselines.ts'
import { driftCaptureBench } from './drift-capture.ts'
import { driftCausesBench } from './drift-causes.ts'
import { driftDetectionBench } from './drift-detection.ts'
import { driftFeaturesBench } from './drift-features.ts'
import { driftGoldenBench } from './drift-golden.ts'
import { driftMimicryBench } from './drift-mimicry.ts'
import { driftOverheadBench } from './drift-overhead.ts'
import { driftOverheadHttpBench } from './drift-overhead-http.ts'
import { driftRoundPowerBench } from './drift-round-power.ts'
import { driftRoundsBench } from './drift-rounds.ts'
import { faultsBench } from './faults.ts'
import { faultsReconcileBench } from './faults-reconcile.ts'
import { fieldCrowdBench } from './field-crowd.ts'
import { fieldFleetBench } from './field-fleet.ts'
import { fieldIdleBench } from './field-idle.ts'
import { fieldImageBench, fieldImageDecoysBench } from './field-image.ts'
import { fieldUpdateBench } from './field-update.ts'
import { fieldUpdatesBench } from './field-updates.ts'
import { ingestBench } from './ingest.ts'
import { latencyBench } from './latency.ts'
import { memoryBench } from './memory.ts'
import { personasAuditBench } from './personas-audit.ts'
import { personasBusyboxBench } from './personas-busybox.ts'
import { personasCorpusBench } from './personas-corpus.ts'
import { personasFilesBench } from './personas-files.ts'
import { personasLoadBench } from './personas-load.ts'
import { personasMemoryBench } from './personas-memory.ts'
import { personasScanBench } from './personas-scan.ts'
import { personasSshBench } from './personas-ssh.ts'
import { personasStacksBench } from './personas-stacks.ts'
import { personasWebBench } from './personas-web.ts'
import type { Bench } from './row.ts'
import { spoolBench } from './spool.ts'

/** All benchmarks. The part of a key before the dot is its group: `npm run bench -- main` runs those of the main job. */
export const benches: Record<string, Bench> = {
  'main.ingest': ingestBench,
  'main.latency': latencyBench,
  'main.block': blockBench,
  'main.memory': memoryBench,
  'main.deploy': deployBench,
  'main.faults': faultsBench,
  'main.faults-reconcile': faultsReconcileBench,
  'personas.audit': personasAuditBench,
  'personas.busybox': personasBusyboxBench,
  'personas.corpus': personasCorpusBench,
  'personas.memory': personasMemoryBench,
  'personas.load': personasLoadBench,
  'personas.files': personasFilesBench,
  'personas.scan': personasScanBench,
  'personas.stacks': personasStacksBench,
  'personas.ssh': personasSshBench,
  'personas.web': personasWebBench,
  'drift.capture': driftCaptureBench,
  'drift.features': driftFeaturesBench,
  'drift.golden': driftGoldenBench,
  'drift.detection': driftDetectionBench,
  'drift.bandit': driftBanditBench,
  'drift.applied-http': driftAppliedHttpBench,
  'drift.apply': driftApplyBench,
  'drift.baselines': driftBaselinesBench,
  'drift.rounds': driftRoundsBench,
  'drift.round-power': driftRoundPowerBench,
  'drift.causes': driftCausesBench,
  'drift.applied': driftAppliedBench,
  'drift.overhead': driftOverheadBench,
  'drift.overhead-http': driftOverheadHttpBench,
  'drift.mimicry': driftMimicryBench,
  'field.crowd': fieldCrowdBench,
  'field.fleet': fieldFleetBench,
  'field.idle': fieldIdleBench,
  'field.update': fieldUpdateBench,
  'field.updates': fieldUpdatesBench,
  'field.image': fieldImageBench,
  'field.image-decoys': fieldImageDecoysBench,
  spool: spoolBench,
}
