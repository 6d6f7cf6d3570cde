import { databaseIn, migrations } from '../serve/database.ts'
import { agentsCommand } from './commands/agents.ts'
import { alertsCommand } from './commands/alerts.ts'
import { baselinesCommand } from './commands/baselines.ts'
import { blocksCommand } from './commands/blocks.ts'
import { decoysCommand } from './commands/decoys.ts'
import { decoysAuditCommand } from './commands/decoys-audit.ts'
import { decoysCaptureCommand } from './commands/decoys-capture.ts'
import { driftCommand } from './commands/drift.ts'
import { driftReportCommand } from './commands/drift-report.ts'
import { driftScoresCommand } from './commands/drift-scores.ts'
import { driftSettingsCommand } from './commands/drift-settings.ts'
import { eventsCommand } from './commands/events.ts'
import { initCommand } from './commands/init.ts'
import { mimicryCommand } from './commands/mimicry.ts'
import { personasCommand } from './commands/personas.ts'
import { scansCommand } from './commands/scans.ts'
import { segmentsCommand } from './commands/segments.ts'
import { segmentsWatchCommand } from './commands/segments-watch.ts'
import { serveCommand } from './commands/serve.ts'
import { sessionsCommand } from './commands/sessions.ts'
import { sitesCommand } from './commands/sites.ts'
import { sourcesCommand } from './commands/sources.ts'
import { updatesCommand } from './commands/updates.ts'
import type { CliCommand } from './context.ts'

/** Every command of `marshlight`, in the order of its help; those that add to a group come after it. */
export const commands: readonly CliCommand[] = [
  initCommand({ pathIn: databaseIn, migrations }),
  serveCommand,
  agentsCommand,
  sitesCommand,
  segmentsCommand,
  segmentsWatchCommand,
  scansCommand,
  personasCommand,
  decoysCommand,
  decoysAuditCommand,
  decoysCaptureCommand,
  driftCommand,
  driftSettingsCommand,
  driftReportCommand,
  driftScoresCommand,
  sessionsCommand,
  sourcesCommand,
  blocksCommand,
  alertsCommand,
  baselinesCommand,
  mimicryCommand,
  eventsCommand,
  updatesCommand,
]
