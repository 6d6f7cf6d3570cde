#!/usr/bin/env node
import { agentsCommand } from './cli/commands/agents.ts'
import { alertsCommand } from './cli/commands/alerts.ts'
import { baselinesCommand } from './cli/commands/baselines.ts'
import { blocksCommand } from './cli/commands/blocks.ts'
import { decoysCommand } from './cli/commands/decoys.ts'
import { decoysAuditCommand } from './cli/commands/decoys-audit.ts'
import { decoysCaptureCommand } from './cli/commands/decoys-capture.ts'
import { driftCommand } from './cli/commands/drift.ts'
import { driftReportCommand } from './cli/commands/drift-report.ts'
import { driftScoresCommand } from './cli/commands/drift-scores.ts'
import { driftSettingsCommand } from './cli/commands/drift-settings.ts'
import { eventsCommand } from './cli/commands/events.ts'
import { initCommand } from './cli/commands/init.ts'
import { mimicryCommand } from './cli/commands/mimicry.ts'
import { personasCommand } from './cli/commands/personas.ts'
import { scansCommand } from './cli/commands/scans.ts'
import { segmentsCommand } from './cli/commands/segments.ts'
import { segmentsWatchCommand } from './cli/commands/segments-watch.ts'
import { serveCommand } from './cli/commands/serve.ts'
import { sessionsCommand } from './cli/commands/sessions.ts'
import { sourcesCommand } from './cli/commands/sources.ts'
import { runProgram } from './cli/program.ts'
import { databaseIn, migrations } from './serve/database.ts'

process.exitCode = await runProgram(process.argv.slice(2), [
  initCommand({ pathIn: databaseIn, migrations }),
  serveCommand,
  agentsCommand,
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
])
