import type { Clock } from '../../shared/clock.ts'
import { wordsOf } from '../../shared/errors.ts'
import { readIfThere } from '../../shared/files.ts'
import type { Part } from '../../shared/lifecycle.ts'
import type { Log } from '../../shared/log.ts'
import { type Hardware, shortHardware } from '../../shared/schemas/hardware.ts'
import { type AgentConfig, agentVersion } from '../config.ts'
import type { CardSeen, Finding, Known } from '../console/index.ts'
import { type Identity, readWiped } from '../enrol/index.ts'
import { readKeptSite } from '../kept-site.ts'
import { makeCardMoved } from './card-moved.ts'
import type { AgentStatus } from './status-socket.ts'

export type ConsoleRoomDeps = {
  stateDir: string
  config: AgentConfig
  identity: Identity
  hardware: Hardware
  clock: Clock
  log: Log
  status(): AgentStatus
}

/** `page`: its URL, while it is there. */
export type ConsoleRoom = Part & { page(): string | undefined }
const nothing: ConsoleRoom = { name: 'console', page: () => undefined, async start() {}, async stop() {} }

/** What is not well is looked into at most so often; a look takes half a minute. */
const doctorMs = 300_000
/** Connecting takes a while after a start: before that nothing is wrong. */
const patienceMs = 30_000
/** Where the image's program for sticks leaves its word. */
const stickPath = '/run/marshlight/stick'

/**
 * The console of a running agent, where its settings ask for one: what the agent says of itself, and the doctor's findings while
 * it is not well. Nothing of it is loaded otherwise.
 */
export function makeConsoleRoom(deps: ConsoleRoomDeps): ConsoleRoom {
  const { config, clock, log, stateDir } = deps
  const { screen, leds, page } = config.console
  if (screen === undefined && !leds && page.minutes === 0) return nothing
  const serial = shortHardware(deps.hardware)
  let names: Partial<Known> = {}
  let findings: Finding[] = []
  let unwellSince: number | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking = false
  const cardMoved = makeCardMoved()
  let moves = 0
  let part: ConsoleRoom | undefined

  async function know(card: CardSeen | undefined): Promise<Partial<Known>> {
    if (cardMoved(card)) {
      moves += 1
      findings = []
      lookedAt = Number.NEGATIVE_INFINITY
    }
    const { name, controller, link, rooms, updates } = deps.status()
    const { update } = updates
    // What is only fetched may break off at any time.
    const updating = update && ['installing', 'trial'].includes(update.phase) ? update.version : undefined
    const waiting = Object.entries(rooms).flatMap(([room, { state, reason }]) =>
      state === 'waiting' ? [{ name: room, reason: reason ?? 'it is not said why' }] : [],
    )
    const isWell = link.connected && waiting.length === 0
    if (isWell) {
      unwellSince = undefined
      findings = []
    } else {
      unwellSince ??= clock.now()
      if (!looking && clock.now() - unwellSince > patienceMs && clock.now() - lookedAt > doctorMs) {
        lookedAt = clock.now()
        void examineNow()
      }
    }
    const wiped = await readWiped(stateDir)
    return {
      enrolled: true,
      serial,
      ...names,
      name,
      controller,
      link,
      waiting,
      findings,
      updating,
      stick: (await readIfThere(stickPath).catch(() => undefined))?.trim().slice(0, 400),
      ...(wiped && { wiped }),
    }
  }

  async function examineNow(): Promise<void> {
    const begun = moves
    looking = true
    try {
      const [{ examine }, { checks }] = await Promise.all([
        import('./checks/examine.ts'),
        import('./checks/registry.ts'),
      ])
      const { identity } = deps
      const role = identity.roles.includes('decoys') ? 'decoys' : 'enforcer'
      const found = await examine(checks, { stateDir, config, clock, role, identity, root: '' })
      if (begun === moves) findings = found.filter(({ ok, follows }) => !ok && follows === undefined)
    } catch (error) {
      log.warn({ why: wordsOf(error) }, 'the doctor could not look')
    } finally {
      looking = false
    }
  }

  return {
    name: 'console',
    async start(signal) {
      try {
        const [{ makeConsole }, { thisBox }] = await Promise.all([import('../console/index.ts'), import('./box.ts')])
        const site = await readKeptSite(stateDir)
        names = { site: site?.site, segment: site?.segment }
        part = makeConsole({
          ...thisBox(config.nics),
          settings: config.console,
          clock,
          log,
          version: agentVersion,
          know,
        })
        await part.start(signal)
      } catch (error) {
        // Who cannot show anything can still work.
        log.warn({ why: wordsOf(error) }, 'there is no console')
      }
    },
    page: () => part?.page(),
    stop: async () => part?.stop(),
  }
}
