import { z } from 'zod'
import { intensity } from '../../shared/schemas/drift.ts'

/** How what happens is judged, and what is done about it. */

/** A year and a day; beyond that, times run out of what a date can hold. */
export const mostBlockMinutes = 527_040

export const riskConfig = z
  .strictObject({
    halfLifeHours: z.number().min(0.01).default(24),
    thresholds: z
      .strictObject({
        alert: z.number().min(0).max(100).default(30),
        deploy: z.number().min(0).max(100).default(50),
        reconfigure: z.number().min(0).max(100).default(60),
        block: z.number().min(0).max(100).default(80),
      })
      .prefault({}),
    blockMinutes: z.number().min(1).max(mostBlockMinutes).default(60),
    /** false: decisions to block are proposed and wait for an administrator. */
    autoBlock: z.boolean().default(true),
  })
  .prefault({})

/** Looking for behaviour that nobody asked for. */
export const driftConfig = z
  .strictObject({
    detect: z.boolean().default(true),
    /** A score from here on is an alert, and interference counts as risk. 20: a median that left a fifth of all answers behind. */
    alertScore: z.number().min(1).max(100).default(20),
    everySeconds: z.number().min(10).max(86400).default(300),
    /** What is looked at in a round: windows of so many minutes. */
    lookbackMinutes: z.number().min(0.5).max(1440).default(60),
    scoresDays: z.number().min(1).max(3650).default(30),
  })
  .prefault({})

export const responseConfig = z
  .strictObject({
    /** Blocks that risk may make in an hour, fleet-wide; beyond it they wait for an administrator. */
    maxBlocksPerHour: z.int().min(0).default(60),
    /** Risk adds no second decoy to a segment, and does not change the same decoy again, within this time. */
    cooldownMinutes: z.number().min(0).default(10),
    /** How long a decoy that risk added stays, and one that risk reconfigured shows that version. */
    decoyHours: z.number().min(0.01).max(8760).default(168),
  })
  .prefault({})

/** What attackers meet is chosen by what keeps them, within these bounds; what an administrator sets stands before it. */
export const adaptationConfig = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** Types that may be chosen, and the strongest intensity. */
    types: z.array(z.enum(['latency', 'alteration', 'error'])).default(['latency', 'alteration', 'error']),
    strongest: intensity.default('high'),
    /** Part of the sources that meet no drift, so that its effect is measured. */
    controlShare: z.number().min(0.02).max(1).default(0.1),
    /** How long a source meets what was chosen for it. */
    keepHours: z.number().min(0.01).max(720).default(24),
    /** Without a word for so long, an attacker has gone, and his visit is learned from. */
    idleMinutes: z.number().min(0.05).max(240).default(5),
    changesPerHour: z.int().min(0).max(10_000).default(60),
    viewsPerDecoy: z.int().min(0).max(200).default(100),
    /** Between two changes of one attacker's view, and of one decoy's persona. */
    cooldownMinutes: z.number().min(0).default(10),
    personaCooldownMinutes: z.number().min(0).default(360),
  })
  .prefault({})

export const alertsConfig = z
  .strictObject({
    /** Alerts of one source and kind within this time are one. */
    groupMinutes: z.number().min(0).default(30),
    silentAgentSeconds: z.number().min(1).default(10),
    deadDecoySeconds: z.number().min(1).default(60),
    webhooks: z
      .array(
        z.strictObject({
          name: z.string().min(1),
          url: z.url(),
          secretFile: z.string(),
          minScore: z.number().default(0),
        }),
      )
      .default([]),
  })
  .prefault({})
