import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Notice } from '../../shared/schemas/state.ts'
import type { Architecture, Running } from '../../shared/schemas/update.ts'
import { type Disk, realDisk } from './disk.ts'
import { type Held, type Images, loadHeld, nothingHeld, saveHeld } from './held.ts'
import { type LauncherEnv, type LauncherSeen, launcherEnv, seeLauncher } from './launcher-files.ts'
import { programSlots } from './program-slots.ts'
import type { SystemSlots } from './system-slots.ts'

/** What the other rooms have to know of updates before any of them starts. */
export type OpenedUpdates = {
  env: LauncherEnv | undefined
  slots: SystemSlots | undefined
  disk: Disk
  held(): Held
  save(held: Held): Promise<void>
  /** What could not be read, to be told once the spool runs. */
  notices: readonly Notice[]
  running(): Running
  /** Images of decoys that an update brought, in force from this start on; empty: those that came with the box. */
  images: Images
  /** Resolves when an update needs this process to end, with the exit code that says how it goes on. */
  asked: Promise<{ code: number; why: string }>
  end(code: number, why: string): void
}

export type OpenUpdates = {
  stateDir: string
  clock: Clock
  log: Log
  version: string
  keepsDecoys: boolean
  processEnv: NodeJS.ProcessEnv
  disk?: Disk
  slots?: SystemSlots
}

/** Never throws: whatever is wrong with updates, the box keeps its decoys. */
export async function openUpdates(o: OpenUpdates): Promise<OpenedUpdates> {
  const { stateDir, clock, disk = realDisk } = o
  const notices: Notice[] = []
  const told = (error: unknown) => {
    const code = error instanceof MarshlightError ? error.code : 'STATE_CORRUPT'
    const message = wordsOf(error).slice(0, 1024)
    o.log.error({ code }, message)
    notices.push({ type: 'notice', at: isoNow(clock), level: 'error', code, message })
  }
  const loaded = await loadHeld(stateDir, clock).catch((error) => ({ held: nothingHeld, damaged: error }))
  if (loaded.damaged) told(loaded.damaged)
  let held = loaded.held
  const env = launcherEnv(o.processEnv)
  const launcher: LauncherSeen = await seeLauncher(stateDir).catch((error) => {
    told(error)
    return { folders: [] }
  })
  const slots =
    o.slots ??
    (await programSlots().catch((error) => {
      told(error)
      return undefined
    }))
  const { promise: asked, resolve } = Promise.withResolvers<{ code: number; why: string }>()
  const inForce = imagesInForce(held, env, launcher)
  return {
    env,
    slots,
    disk,
    notices,
    held: () => held,
    async save(next) {
      await saveHeld(disk, stateDir, next)
      held = next
    },
    running: () => ({
      arch: archOf(process.arch),
      agent: o.version,
      ...(o.keepsDecoys && { decoys: inForce.version ?? shipped }),
      ...(slots?.booted().version !== undefined && { system: slots.booted().version }),
      ...(slots && { slot: slots.booted().slot }),
    }),
    images: inForce.images,
    asked,
    end: (code, why) => resolve({ code, why }),
  }
}

/** Version of images that came with the box: no release names it, so that the first one brings its own. */
const shipped = 'shipped'

const archOf = (arch: string): Architecture => (arch === 'arm64' ? 'arm64' : 'amd64')

/** Those on trial while this start is the trial, or once it is confirmed. */
function imagesInForce({ current, decoys }: Held, env: LauncherEnv | undefined, launcher: LauncherSeen) {
  const rollout = current?.phase === 'trial' ? current.rollout : undefined
  const taken = rollout !== undefined && (env?.trial === rollout || launcher.confirmed?.rollout === rollout)
  const version = current?.parts.find(({ component }) => component === 'decoys')?.version
  if (taken && current?.images && version) return { version, images: { ...decoys?.images, ...current.images } }
  return { version: decoys?.version, images: decoys?.images ?? {} }
}
