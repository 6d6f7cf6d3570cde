/**
 * The way of events through an agent: the folder of one decoy -> sessions -> spool -> link. Tells how far it is by `process.send`.
 *
 *   node agent.ts STATE OUT DECOY PERSONA PORT      PORT: where the controller is reached instead of its own
 */
import { join } from 'node:path'
import { loadIdentity, serverError } from '../../agent/enrol/index.ts'
import { makeLink } from '../../agent/link/index.ts'
import { makeSessions } from '../../agent/sessions/index.ts'
import { makeSpool, type Spool } from '../../agent/spool/index.ts'
import { systemClock as clock } from '../../shared/clock.ts'
import { makeLog } from '../../shared/log.ts'
import { systemRandom as random } from '../../shared/random.ts'
import { streamNames } from '../../shared/schemas/envelope.ts'
import type { Standing } from './campaign.ts'

const [stateDir = '', outDir = '', decoy = '', persona = '', port = ''] = process.argv.slice(2)
const log = makeLog('agent', 'warn')
const stored = await loadIdentity(stateDir)
const identity = { ...stored, mqtt: { ...stored.mqtt, port: Number(port) } }
// Small files, so that one run sees many of them come and go.
const kept = makeSpool({ folder: join(stateDir, 'spool'), clock, log }, { segmentBytes: 262_144 })
const spool: Spool = {
  ...kept,
  async acknowledge(...ack) {
    await kept.acknowledge(...ack)
    tell()
  },
}

function tell(): void {
  const { acknowledged } = kept.standing('events')
  const waiting = streamNames.some((name) => kept.standing(name).acknowledged < kept.standing(name).next)
  const standing: Standing = { acknowledged, waiting, position: kept.positionOf(decoy) }
  if (process.connected) process.send?.(standing)
}

const link = makeLink(
  {
    identity,
    checkServer: serverError,
    folder: join(stateDir, 'documents'),
    spool,
    report: (stream, records, positions) => spool.append(stream, records, positions),
    handlers: { onPlan: () => {}, onBlocks: () => {}, onRequest: async () => ({ ok: true }) },
    clock,
    random,
    log,
    about: { version: '0', hostname: 'faults' },
  },
  { retry: { firstMs: 50, capMs: 500, refusedMs: 500 }, uplink: { ackTimeoutMs: 2000 } },
)
const sessions = makeSessions({
  spool,
  log,
  clock,
  stateDir,
  decoys: () => [{ id: decoy, outDir, persona, personaVersion: 1, revision: 1 }],
})
const parts = [spool, link, sessions]
for (const part of parts) await part.start(new AbortController().signal)
kept.onAppend(tell)
tell()
process.once('SIGTERM', async () => {
  for (const part of parts.reverse()) await part.stop()
  if (process.connected) process.disconnect()
})
// Whoever started it is gone: nobody would end it.
process.once('disconnect', () => process.exit())
