import { tagsOfAll } from '../../fleet/index.ts'
import type { Routes } from '../port.ts'
import { agentCareRoutes } from './agent-care.ts'
import { type AgentsPorts, invitationRoutes } from './agent-invitations.ts'
import { agentPlaceRoutes } from './agent-places.ts'
import { agentsRoutes } from './agents.ts'
import { alertRoutes } from './alerts.ts'
import { auditRoutes } from './audits.ts'
import { baselineRoutes } from './baselines.ts'
import { blockRoutes } from './blocks.ts'
import { captureRoutes } from './captures.ts'
import { claimRoutes } from './claims.ts'
import { decoyRoutes } from './decoys.ts'
import { driftRoutes } from './drift.ts'
import { driftReportRoutes } from './drift-report.ts'
import { driftScoreRoutes } from './drift-scores.ts'
import { eventsRoutes } from './events.ts'
import { linkRoutes } from './link.ts'
import { mimicryRoutes } from './mimicry.ts'
import { personaRoutes } from './personas.ts'
import { releaseRoutes } from './releases.ts'
import { rolloutRoutes } from './rollouts.ts'
import { scanRoutes } from './scans.ts'
import { segmentRoutes } from './segments.ts'
import { sessionRoutes } from './sessions.ts'
import { siteRoutes } from './sites.ts'
import { sourceRoutes } from './sources.ts'

/** One file a resource. */
export const routesFor = (ports: AgentsPorts & Parameters<typeof linkRoutes>[0]): readonly Routes[] => [
  agentsRoutes(ports),
  invitationRoutes(ports),
  agentCareRoutes(ports),
  linkRoutes(ports),
  agentPlaceRoutes,
  siteRoutes,
  claimRoutes,
  segmentRoutes,
  baselineRoutes,
  scanRoutes,
  personaRoutes,
  decoyRoutes,
  captureRoutes,
  auditRoutes,
  driftRoutes,
  driftReportRoutes,
  mimicryRoutes,
  driftScoreRoutes,
  sessionRoutes,
  sourceRoutes,
  blockRoutes,
  alertRoutes,
  eventsRoutes,
  releaseRoutes,
  rolloutRoutes(tagsOfAll),
]
