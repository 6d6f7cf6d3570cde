import { type Clock, isoNow } from '../../shared/clock.ts'
import { type MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Reply } from '../../shared/schemas/desired-state.ts'
import { acknowledgement, streamNames } from '../../shared/schemas/envelope.ts'
import type { Hardware } from '../../shared/schemas/hardware.ts'
import type { Hello } from '../../shared/schemas/state.ts'
import type { Running } from '../../shared/schemas/update.ts'
import { publicKeyFromPem } from '../../shared/signing.ts'
import { parseTopic, topicOf, upTopic } from '../../shared/topics.ts'
import type { Identity } from '../enrol/identity.ts'
import type { Report, Spool } from '../spool/port.ts'
import { type CheckServer, type Connection, connect } from './connection.ts'
import { DocumentKeeper } from './documents.ts'
import { type Delays, type End, makePatience } from './patience.ts'
import type { Link, LinkHandlers, LinkStanding } from './port.ts'
import { RequestDesk } from './requests.ts'
import { Uplink, type UplinkLimits } from './uplink.ts'

export type LinkDeps = {
  identity: Identity
  /** Which certificate to show; that of `identity` where none is given. */
  credentials?: {
    current(): Identity
    taken(shown: Identity): Promise<void>
    refused(shown: Identity): Promise<void>
  }
  checkServer: CheckServer
  /** The HTTP proxy on the way to the broker. */
  proxy?: string | undefined
  /** Folder of the state folder that holds the last good documents. */
  folder: string
  spool: Spool
  report: Report
  handlers: LinkHandlers
  clock: Clock
  random: Random
  log: Log
  about: { version: string; hostname: string; hardware?: Hardware; config?: string; running?: () => Running }
}

export type LinkOptions = {
  uplink?: UplinkLimits
  /** Between attempts. */
  retry?: Partial<Delays>
}

const usualDelays: Delays = { firstMs: 200, capMs: 4_000, busyCapMs: 15_000, refusedMs: 45_000 }
const endOf: Partial<Record<string, End>> = { CERTIFICATE_REFUSED: 'refused', CONTROLLER_BUSY: 'busy' }
const tickMs = 1000
/** A connection that held so long was a good one. */
const steadyMs = 10_000

/**
 *   start -> documents loaded -> [ connect -> subscribe -> presence -> hello -> send and take -> ended -> wait ] ... stop
 *
 * Starting does not wait for the controller: an agent without it goes on with what it holds.
 */
export function makeLink(deps: LinkDeps, options: LinkOptions = {}): Link {
  const { identity, spool, clock, random, log, handlers } = deps
  const patience = makePatience({ ...usualDelays, ...options.retry }, random)
  const signingKey = publicKeyFromPem(identity.signingKey)
  const common = { agent: identity.agent, signingKey, clock, log, report: deps.report }
  const documents = new DocumentKeeper({ ...common, folder: deps.folder })
  const stopping = new AbortController()
  let connection: Connection | undefined
  let ending = false
  let standing: LinkStanding = { connected: false }
  let running: Promise<void> | undefined
  let unsubscribe: (() => void) | undefined
  let unsent: { reply: Reply; expiresAt: number }[] = []

  const uplink = new Uplink(
    {
      spool,
      clock,
      log,
      publish: (stream, payload) => connection?.publish(upTopic(identity.agent, stream), payload),
      onSilence: () => {
        log.warn('nothing is acknowledged; connecting anew')
        void connection?.end()
      },
    },
    options.uplink,
  )
  const desk = new RequestDesk({
    ...common,
    answer: (asked) => handlers.onRequest(asked),
    send: (reply, expiresAt) => {
      if (connection) sendReply(reply)
      else unsent.push({ reply, expiresAt })
    },
  })
  const sendReply = (reply: Reply) => connection?.publish(topicOf(identity.agent, 'reply'), JSON.stringify(reply))

  async function onMessage(topic: string, payload: Buffer): Promise<void> {
    const parsed = parseTopic(topic)
    if (parsed?.agent !== identity.agent) return
    switch (parsed.name) {
      case 'ack': {
        const ack = acknowledgement.safeParse(jsonOf(payload))
        if (ack.success) {
          if (ack.data.at !== undefined) handlers.onTime?.(Date.parse(ack.data.at))
          uplink.acknowledge(ack.data)
        } else log.warn({ why: ack.error.issues[0]?.message }, 'an acknowledgement that cannot be read is ignored')
        return
      }
      case 'plan': {
        const plan = await documents.accept('plan', payload)
        if (plan) inEffect('plan', () => handlers.onPlan(plan))
        return
      }
      case 'blocks': {
        const blocks = await documents.accept('blocks', payload)
        if (blocks) inEffect('blocks', () => handlers.onBlocks(blocks))
        return
      }
      case 'request':
        // Its work may take minutes and must hold up neither its PUBACK nor what comes after it.
        desk.take(payload).catch((error) => log.error({ err: error }, 'a request could not be taken'))
    }
  }

  function inEffect(document: string, handler: () => void): void {
    try {
      handler()
    } catch (error) {
      log.error({ document, err: error }, 'a document could not be handed on')
    }
  }

  function hello(): Hello {
    return {
      at: isoNow(clock),
      agent: identity.agent,
      version: deps.about.version,
      roles: identity.roles,
      keyHeldBy: identity.sealed ? 'tpm' : 'file',
      hostname: deps.about.hostname.slice(0, 253),
      ...(deps.about.hardware && { hardware: deps.about.hardware }),
      ...(deps.about.config && { config: deps.about.config }),
      ...(deps.about.running && { running: deps.about.running() }),
      planRevision: documents.plan?.revision ?? 0,
      blocksRevision: documents.blocks?.revision ?? 0,
      streams: Object.fromEntries(
        streamNames.map((name) => {
          const { epoch, next } = spool.standing(name)
          return [name, { epoch, next }]
        }),
      ),
    }
  }

  const shows = () => deps.credentials?.current() ?? identity

  async function hold(current: Connection, shown: Identity): Promise<MarshlightError> {
    connection = current
    // Another certificate came while this one was shown: nobody could end the connection yet.
    if (shows().certificate !== shown.certificate) void current.end()
    standing = { connected: true, since: isoNow(clock) }
    log.info({ controller: `${identity.mqtt.host}:${identity.mqtt.port}` }, 'connected')
    current.publish(topicOf(identity.agent, 'hello'), JSON.stringify(hello()))
    for (const { reply, expiresAt } of unsent) if (expiresAt > clock.now()) sendReply(reply)
    unsent = []
    uplink.connected()
    const ticking = setInterval(() => uplink.tick(), tickMs)
    try {
      return await current.ended
    } finally {
      clearInterval(ticking)
      uplink.disconnected()
      connection = undefined
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    let attempt = 0
    let closedSilently = 0
    while (!signal.aborted) {
      attempt++
      let failure: Error
      const shown = shows()
      try {
        const current = await connect(
          shown,
          { clock, checkServer: deps.checkServer, proxy: deps.proxy, closedSilently, signal },
          { onMessage },
        )
        closedSilently = 0
        await deps.credentials?.taken(shown)
        const since = clock.now()
        failure = await hold(current, shown)
        // What the broker ends at once, again and again, must not become a storm.
        if (clock.now() - since >= steadyMs) {
          attempt = 1
          patience.good()
        }
      } catch (error) {
        failure = error as Error
        const { progress, code } = error as { progress?: string; code?: string }
        closedSilently = progress === 'secured' && code !== 'CONTROLLER_BUSY' ? closedSilently + 1 : 0
      }
      if (signal.aborted || ending) break
      const code = (failure as MarshlightError).code
      const end = endOf[code] ?? 'unreachable'
      if (end === 'refused') await deps.credentials?.refused(shown)
      const delayMs = patience.after(end)
      standing = { connected: false, lastError: `${code ?? 'ERROR'}: ${wordsOf(failure)}` }
      log.warn({ code, attempt, retryInMs: delayMs }, wordsOf(failure))
      await clock.sleep(delayMs, signal).catch(() => {})
    }
    standing = { ...standing, connected: false }
  }

  return {
    name: 'link',
    async start(signal) {
      await documents.load()
      unsubscribe = spool.onAppend(() => uplink.pump())
      running = run(AbortSignal.any([signal, stopping.signal]))
    },
    async stop() {
      unsubscribe?.()
      ending = true
      await connection?.end()
      stopping.abort(new Error('stopping'))
      await running
    },
    reconnect: () => void connection?.end(),
    standing: () => {
      const at = uplink.acknowledgedAt
      return at === undefined ? standing : { ...standing, acknowledgedAt: new Date(at).toISOString() }
    },
    held: () => ({
      ...(documents.plan && { plan: documents.plan }),
      ...(documents.blocks && { blocks: documents.blocks }),
    }),
  }
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}
