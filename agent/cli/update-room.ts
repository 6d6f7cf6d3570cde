import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Clock } from '../../shared/clock.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { partPath } from '../../shared/release.ts'
import type { DesiredUpdate } from '../../shared/schemas/update.ts'
import type { AgentConfig } from '../config.ts'
import type { Engine } from '../engine/port.ts'
import { enrolAddress, type Identity, serverError } from '../enrol/index.ts'
import type { Report } from '../spool/index.ts'
import { type Images, type Look, makeUpdates, type OpenedUpdates, type Updates } from '../updates/index.ts'

export type UpdateRoomDeps = {
  stateDir: string
  config: AgentConfig
  identity: Identity
  opened: OpenedUpdates
  clock: Clock
  random: Random
  log: Log
  report: Report
  engine: () => Promise<Engine>
  /** What to show to the server that releases come from. */
  credentials(): Identity
  look(): Look
  heldUpdate(): DesiredUpdate | undefined
}

const rebootWithinMs = 60_000

/** The room of updates, and the hands it works with; these are imported when the first step is to be done. */
export function makeUpdateRoom(deps: UpdateRoomDeps): Updates {
  const { stateDir, config, identity, opened, clock, log } = deps
  const keepsDecoys = identity.roles.includes('decoys')
  const common = {
    stateDir,
    opened,
    clock,
    log,
    random: deps.random,
    report: deps.report,
    look: deps.look,
    heldUpdate: deps.heldUpdate,
  }

  return makeUpdates({
    ...common,
    rules: { steadyMs: config.updates.steadySeconds * 1000 },
    async hands() {
      const [keys, fetching, bucket, agents, decoys] = await Promise.all([
        import('../updates/keys.ts'),
        import('../updates/fetch.ts'),
        import('../updates/token-bucket.ts'),
        import('../updates/install-agent.ts'),
        import('../updates/install-decoys.ts'),
      ])
      return {
        box: async () => ({
          keys: await keys.readKeys([keys.shippedKeys, keys.ownKeys(stateDir)], log),
          running: opened.running(),
          highest: opened.held().highest,
          hasLauncher: opened.env !== undefined,
          hasSlots: opened.slots !== undefined,
          keepsDecoys,
        }),
        fetch({ version, name, perSecond, ...o }) {
          const shown = deps.credentials()
          const { ca, key, certificate: cert } = shown
          return fetching.fetchFile({
            ...o,
            origin: { ...enrolAddress(shown), proxy: config.proxy, ca, key, cert, checkServer: serverError },
            path: partPath(version, name),
            bucket: bucket.makeTokenBucket(clock, perSecond),
          })
        },
        installAgent: (part, file, inUse) => agents.installAgent({ disk: opened.disk, stateDir, part, file, inUse }),
        async loadImages(part, file) {
          const { current } = opened.held()
          return decoys.loadImages({
            ...{ engine: await deps.engine(), part, file, kept: current?.tagsBefore ?? {} },
            inUse: imagesNow(config, opened.images),
            keep: async (tagsBefore) => {
              const held = opened.held()
              if (held.current) await opened.save({ ...held, current: { ...held.current, tagsBefore } })
            },
          })
        },
        async dropImages(tags) {
          const engine = await deps.engine()
          for (const tag of tags) await engine.untagImage(tag)
        },
        async reboot(why) {
          log.warn(`this box starts anew: ${why}`)
          await promisify(execFile)('systemctl', ['reboot'], { timeout: rebootWithinMs })
        },
      }
    },
  })
}

/** What decoys are made of now. What an update brought and the engine lost is made up for by what came with the box. */
export async function imagesHere(engine: Pick<Engine, 'hasImage'>, config: AgentConfig, brought: Images, log: Log) {
  const here: Images = {}
  for (const [role, tag] of Object.entries(brought))
    if (await engine.hasImage(tag)) here[role as keyof Images] = tag
    else log.warn({ tag, instead: config.images[role as keyof Images] }, 'an image that an update brought is gone')
  return imagesNow(config, here)
}

/** What decoys are made of: what an update brought, else what is configured. */
export const imagesNow = (config: AgentConfig, brought: Images) => ({ ...config.images, ...brought })
