/**
 * Part of a crowd of agents, many in one process. Of a real agent each has the link (certificate, TLS, MQTT, waiting between
 * attempts, verified and persisted documents, batches, acknowledgements); its spool is in memory, and it has no decoys.
 *
 * In: {identities, folder, spread}; {backlog: n} while the controller is away; {started: true} when it is started. Out: {settled: n} when all are
 * connected and have nothing to send, {held: n} when the backlog stands, {back: [...], failures: {code: n}} when all are
 * back, with how often a connection of theirs failed since the controller was started again.
 */
import { join } from 'node:path'
import pino from 'pino'
import { type Identity, serverError } from '../../agent/enrol/index.ts'
import { makeLink } from '../../agent/link/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { systemRandom } from '../../shared/random.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { makeHeldSpool } from './held-spool.ts'

type Ask = { identities: Identity[]; folder: string; spread: boolean } | { backlog: number } | { started: true }
/** When it was connected again and had its last record acknowledged, milliseconds since 1970. */
export type Back = { agent: string; connected: number; drained: number }

const lookMs = 50
/** What a crowd does that does not spread: the same second for all, as each agent had it before it drew lots. */
const inStep = { firstMs: 1000, capMs: 1000, busyCapMs: 1000 }
/** Of the link's log, what counts: a failed connection is a line with a code and when to try again. */
const failures: Record<string, number> = {}
const log = pino({ level: 'warn' }, { write: (line) => note(JSON.parse(line)) })
const note = ({ code, retryInMs }: { code?: string; retryInMs?: number }) => {
  if (code !== undefined && retryInMs !== undefined) failures[code] = (failures[code] ?? 0) + 1
}
const say = (message: object) => void process.send?.(message)
const agents: ReturnType<typeof makeAgent>[] = []
const [decoy, persona] = [newId(), newId()]

function makeAgent(identity: Identity, folder: string, spread: boolean) {
  let drained = 0
  const spool = makeHeldSpool((stream) => {
    if (stream === 'events' && waits() === 0) drained = Date.now()
  })
  const waits = () => spool.standing('events').next - spool.standing('events').acknowledged
  const link = makeLink(
    {
      identity,
      checkServer: serverError,
      folder: join(folder, identity.agent),
      spool,
      report: (stream, records) => spool.append(stream, records),
      handlers: { onPlan: () => {}, onBlocks: () => {}, onRequest: async () => ({ ok: true }) },
      clock: systemClock,
      random: systemRandom,
      log,
      about: { version: 'bench', hostname: identity.name },
    },
    spread ? {} : { retry: inStep },
  )
  const isSettled = () =>
    link.standing().connected && spool.standing('state').next === spool.standing('state').acknowledged
  const connectedAt = () => Date.parse(link.standing().since ?? '')
  return { agent: identity.agent, link, spool, isSettled, waits, connectedAt, drained: () => drained }
}

const event = (n: number): DecoyEvent => ({
  type: 'event',
  at: new Date().toISOString(),
  decoy,
  persona,
  personaVersion: 1,
  revision: 1,
  service: 'cowrie',
  kind: 'command',
  session: `a1b2c3d4${n % 10}`,
  src: { ip: `198.18.${process.pid & 255}.${n % 250}`, port: 40_000 },
  dst: { ip: '198.18.0.20', port: 22 },
  command: `cat /proc/cpuinfo | grep name | wc -l # ${n}`,
  source: 'cowrie.command.input',
  data: { sensor: 'decoy', protocol: 'ssh', message: 'CMD: cat /proc/cpuinfo | grep name | wc -l' },
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await systemClock.sleep(lookMs)
}

async function begin({ identities, folder, spread }: Extract<Ask, { spread: boolean }>): Promise<void> {
  const halt = new AbortController()
  // What is measured comes later: the first connections are made a few at a time.
  for (let at = 0; at < identities.length; at += 10) {
    const some = identities.slice(at, at + 10).map((identity) => makeAgent(identity, folder, spread))
    for (const one of some) await one.link.start(halt.signal)
    agents.push(...some)
    await until(() => some.every(({ isSettled }) => isSettled()))
  }
  say({ settled: agents.length })
}

async function comeBack(backlog: number): Promise<void> {
  await until(() => agents.every(({ link }) => !link.standing().connected))
  const lost = Date.now()
  for (const { spool } of agents) {
    const records = Array.from({ length: backlog }, (_, n) => event(n))
    await spool.append('events', records)
  }
  say({ held: agents.length })
  await until(() => agents.every(({ waits, connectedAt }) => waits() === 0 && connectedAt() > lost))
  const back = agents.map(
    ({ agent, connectedAt, drained }): Back => ({ agent, connected: connectedAt(), drained: drained() }),
  )
  say({ back, failures })
}

process.on('message', (asked: Ask) => {
  if ('backlog' in asked) void comeBack(asked.backlog)
  else if ('identities' in asked) void begin(asked)
  else for (const code of Object.keys(failures)) delete failures[code]
})
// Who forked us is gone.
process.on('disconnect', () => process.exit())
