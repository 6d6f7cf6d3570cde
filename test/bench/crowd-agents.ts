/**
 * Part of a crowd of agents, many in one process. Of a real agent each has the link (certificate, TLS, MQTT, waiting between
 * attempts, verified and persisted documents, batches, acknowledgements); its spool is in memory, and it has no decoys.
 *
 * In: {identities, folder, eager}; {backlog: n, spread} while the controller is away; {started: true} when it is started;
 * {live: ms} and {quiet: true}: between them each agent that is connected has an alert to tell every so often. Out:
 * {settled: n} when all are connected and have nothing to send, {held: n} when the backlog stands, {back: {came, failures}}
 * when all are back, with how often a connection of theirs failed since the controller was started again; {lived: [...]}.
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

type Ask =
  | { identities: Identity[]; folder: string; eager: boolean }
  | { backlog: number; spread: boolean }
  | { started: true }
  | { live: number }
  | { quiet: true }
/** When it was connected again and had its last record acknowledged, milliseconds since 1970. */
export type Back = { agent: string; connected: number; drained: number }
export type CameBack = { came: Back[]; failures: Record<string, number> }
/** An alert that an agent had to tell: when it wrote it down, and when it was acknowledged; milliseconds since 1970. */
export type Lived = { code: string; at: number; acknowledged: number }

const lookMs = 20
/** What a crowd does that does not spread: the same second for all, as each agent had it before it drew lots. */
const inStep = { firstMs: 1000, capMs: 1000, busyCapMs: 1000 }
/** Those who are back before all others. */
const quick = { firstMs: 50, capMs: 100, busyCapMs: 100 }
/** Of the link's log, what counts: a failed connection is a line with a code and when to try again. */
const failures: Record<string, number> = {}
const log = pino({ level: 'warn' }, { write: (line) => note(JSON.parse(line)) })
const note = ({ code, retryInMs }: { code?: string; retryInMs?: number }) => {
  if (code !== undefined && retryInMs !== undefined) failures[code] = (failures[code] ?? 0) + 1
}
const say = (message: object) => void process.send?.(message)
const agents: ReturnType<typeof makeAgent>[] = []
const [decoy, persona] = [newId(), newId()]

function makeAgent(identity: Identity, folder: string) {
  let drained = 0
  const spool = makeHeldSpool((stream) => {
    if (stream === 'events' && waits() === 0) drained = Date.now()
  })
  const waits = () => spool.standing('events').next - spool.standing('events').acknowledged
  const linkOf = (retry: object) =>
    makeLink(
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
      { retry },
    )
  let link: ReturnType<typeof makeLink> | undefined
  return {
    agent: identity.agent,
    spool,
    waits,
    drained: () => drained,
    /** Begins, or goes on with other delays between its attempts. */
    async start(retry: object): Promise<void> {
      await link?.stop()
      link = linkOf(retry)
      await link.start(new AbortController().signal)
    },
    isConnected: () => link?.standing().connected ?? false,
    connectedAt: () => Date.parse(link?.standing().since ?? ''),
  }
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

async function begin({ identities, folder, eager }: Extract<Ask, { eager: boolean }>): Promise<void> {
  // What is measured comes later: the first connections are made a few at a time.
  for (let at = 0; at < identities.length; at += 10) {
    const some = identities.slice(at, at + 10).map((identity) => makeAgent(identity, folder))
    for (const one of some) await one.start(eager ? quick : {})
    agents.push(...some)
    await until(() =>
      some.every(({ isConnected, spool }) => {
        const { next, acknowledged } = spool.standing('state')
        return isConnected() && next === acknowledged
      }),
    )
  }
  say({ settled: agents.length })
}

async function comeBack({ backlog, spread }: Extract<Ask, { backlog: number }>): Promise<void> {
  await until(() => agents.every(({ isConnected }) => !isConnected()))
  const lost = Date.now()
  await Promise.all(agents.map((one) => one.start(spread ? {} : inStep)))
  for (const { spool } of agents) {
    const records = Array.from({ length: backlog }, (_, n) => event(n))
    await spool.append('events', records)
  }
  say({ held: agents.length })
  await until(() => agents.every(({ waits, connectedAt }) => waits() === 0 && connectedAt() > lost))
  const came = agents.map(
    ({ agent, connectedAt, drained }): Back => ({ agent, connected: connectedAt(), drained: drained() }),
  )
  say({ back: { came, failures } satisfies CameBack })
}

async function live(everyMs: number): Promise<void> {
  const quiet = new AbortController()
  process.once('message', () => quiet.abort())
  const lived: Lived[] = []
  await Promise.all(
    agents.map(async ({ agent, isConnected, spool }, n) => {
      await systemClock.sleep((everyMs * n) / agents.length)
      while (!quiet.signal.aborted) {
        if (isConnected()) {
          const [at, code] = [Date.now(), newId().toUpperCase()]
          const message = `nothing is wrong with ${agent}`
          await spool.append('state', [
            { type: 'notice', at: new Date(at).toISOString(), level: 'error', code, message },
          ])
          const { next } = spool.standing('state')
          await until(() => spool.standing('state').acknowledged >= next)
          lived.push({ code, at, acknowledged: Date.now() })
        }
        await systemClock.sleep(everyMs)
      }
    }),
  )
  say({ lived })
}

process.on('message', (asked: Ask) => {
  if ('backlog' in asked) void comeBack(asked)
  else if ('identities' in asked) void begin(asked)
  else if ('live' in asked) void live(asked.live)
  else if ('started' in asked) for (const code of Object.keys(failures)) delete failures[code]
})
// Who forked us is gone.
process.on('disconnect', () => process.exit())
