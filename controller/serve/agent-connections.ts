import { isoNow } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import type { Reply } from '../../shared/schemas/desired-state.ts'
import { type Acknowledgement, type StreamName, streamNames } from '../../shared/schemas/envelope.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import type { Hello } from '../../shared/schemas/state.ts'
import type { Running } from '../../shared/schemas/update.ts'
import type { Deps } from '../deps.ts'
import {
  admit,
  compareHardware,
  type Desired,
  isPresent,
  type makePresence,
  makeTakeovers,
  noteEvent,
  noteHello,
  noteTold,
} from '../fleet/index.ts'
import type { Ingest } from '../ingest/index.ts'
import { type BrokerHandlers, makeRouter } from '../link/index.ts'
import { type Gathered, makeGathered } from '../store/gathered.ts'
import type { Sql } from '../store/port.ts'
import type { FleetAlerts } from './fleet-alerts.ts'

type Ports = {
  ingest: Pick<Ingest, 'accept' | 'bury' | 'busy'>
  desired: Pick<Desired, 'republish'>
  presence: ReturnType<typeof makePresence>
  /** Small writes that share commits, with others' where given. */
  write?: Gathered
  acknowledge(agent: string, ack: Acknowledgement): void
  onReply(agent: string, reply: Reply): void
  /** Told what a box runs, in the transaction of its hello. */
  runs?(sql: Sql, agent: string, said: Running): Promise<unknown>
  /** Told of identities that more than one box shows. */
  alerts?: FleetAlerts
}

type Connected = {
  address: string
  hardware?: Hardware | undefined
  before?: Pick<Connected, 'address' | 'hardware'> | undefined
  /** Its first hello came. */
  heard?: true
}

/** Documents are sent again this often at most: a loop of reconnects must not make the centre publish without end. */
const helloEveryMs = 250
const notesPerMinute = 20

/**
 * What happens when agents come, speak and go.
 *
 *   connect, subscribe -> presence online          hello -> where its streams stand, its documents once more
 *   disconnect, last will -> presence offline
 */
export function agentConnections(deps: Pick<Deps, 'store' | 'clock' | 'log'>, ports: Ports): BrokerHandlers {
  const { store, clock, log } = deps
  const write = ports.write ?? makeGathered(store)
  const lastHello = new Map<string, number>()
  const notes = new Map<string, { minute: number; count: number }>()
  /** Who is connected as each agent, as far as it said. */
  const boxes = new Map<string, Connected>()
  const tookOver = makeTakeovers(() => clock.now())

  const quietly = (what: string, work: Promise<unknown>): void =>
    void work.catch((error) => log.error({ what, why: wordsOf(error) }, 'could not be noted'))

  async function onHello(agent: string, hello: Hello): Promise<void> {
    for (const [stream, { epoch }] of Object.entries(hello.streams)) {
      if (!streamNames.includes(stream as StreamName)) continue
      const standing = await store.get<{ next: number }>(
        'SELECT next FROM streams WHERE agent = ? AND stream = ? AND epoch = ?',
        agent,
        stream,
        epoch,
      )
      ports.acknowledge(agent, { stream: stream as StreamName, epoch, next: standing?.next ?? 0 })
    }
    await lookAtBox(agent, hello.hardware)
    const now = clock.now()
    if (Math.abs(now - (lastHello.get(agent) ?? 0)) < helloEveryMs) return
    lastHello.set(agent, now)
    await write(async (sql) => {
      await noteHello(sql, hello, isoNow(clock))
      await noteTold(sql, hello, isoNow(clock))
      if (hello.running) await ports.runs?.(sql, agent, hello.running)
    })
    await ports.desired.republish(agent, { plan: hello.planRevision, blocks: hello.blocksRevision })
  }

  /** Once a connection: whether this is the box that the agent is bound to, and whose place it took. */
  async function lookAtBox(agent: string, said: Hardware | undefined): Promise<void> {
    const box = boxes.get(agent)
    if (!box || box.heard) return
    const { address, before } = box
    boxes.set(agent, { address, hardware: said, heard: true })
    const at = isoNow(clock)
    const other = said && (await write((sql) => compareHardware(sql, { agent, address, said, at })))
    const twins = other ?? (before && tookOver(agent, before, { address, hardware: said }))
    if (twins) ports.alerts?.twins(twins)
  }

  /** Bounded by agent and minute: what an agent does wrong in a loop must not fill the database. */
  function note(agent: string, kind: string, detail: string): void {
    const minute = Math.floor(clock.now() / 60_000)
    const seen = notes.get(agent)
    const count = seen?.minute === minute ? seen.count + 1 : 1
    notes.set(agent, { minute, count })
    if (count <= notesPerMinute)
      quietly(
        'a note',
        write((sql) => noteEvent(sql, { agent, at: isoNow(clock), kind, detail })),
      )
  }

  const route = makeRouter({
    accept: ports.ingest.accept,
    bury: ports.ingest.bury,
    onHello,
    onPresence: (agent, { status }) => ports.presence.set(agent, status),
    onReply: ports.onReply,
  })

  return {
    async refuse(agent, serial, address) {
      const peer = { agent, serial: serial.toLowerCase() }
      if (await isPresent(store, peer)) return undefined
      const { refusal, renewed, stale } = await store.tx((sql) => admit(sql, peer, isoNow(clock)))
      if (stale) ports.alerts?.stale(agent, address, refusal ?? '')
      if (renewed) log.info(peer, 'the renewed certificate of an agent is in use')
      return refusal
    },
    onMessage(agent, topic, payload) {
      ports.presence.seen(agent)
      return route(agent, topic, payload)
    },
    onConnect(agent, address) {
      log.info({ agent, address }, 'agent connected')
      note(agent, 'connected', `from ${address}`)
      // One that went was forgotten: who is still there is pushed out by this one.
      const other = boxes.get(agent)
      boxes.set(agent, { address, before: other && { address: other.address, hardware: other.hardware } })
    },
    onListening: (agent) => quietly('presence', ports.presence.set(agent, 'online')),
    onDisconnect(agent) {
      log.info({ agent }, 'agent disconnected')
      boxes.delete(agent)
      quietly('presence', ports.presence.set(agent, 'offline'))
    },
    onNote: note,
    busy: ports.ingest.busy,
  }
}
