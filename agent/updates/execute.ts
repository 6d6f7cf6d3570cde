import { join } from 'node:path'
import type { Clock } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { DesiredUpdate, UpdatePhase } from '../../shared/schemas/update.ts'
import type { Disk } from './disk.ts'
import { type Fetch, tagFile } from './fetch.ts'
import { fetchPart } from './fetch-part.ts'
import { type Current, type Held, type HeldPart, type Images, settle, withoutCurrent } from './held.ts'
import { afterTaking, withImages } from './kept-images.ts'
import {
  goBack,
  type LauncherEnv,
  type LauncherSeen,
  launcherFiles,
  startAgain,
  versionsFolder,
} from './launcher-files.ts'
import { removeOffline } from './offline.ts'
import { checkSpace, isWhole, partPath, removeParts } from './parts.ts'
import { type Box, judge } from './release.ts'
import type { Offline, Step } from './steps.ts'
import type { Slot, SystemSlots } from './system-slots.ts'
import { beforeOf, type Look } from './wellness.ts'

export type Telling = { phase: UpdatePhase; bytes?: number; of?: number; code?: string; reason?: string }

export type ExecuteDeps = {
  stateDir: string
  disk: Disk
  clock: Clock
  random: Random
  log: Log
  env: LauncherEnv | undefined
  held(): Held
  save(held: Held): Promise<void>
  tell(of: Pick<Current, 'rollout' | 'version'>, what: Telling): Promise<void>
  box(): Promise<Box>
  seeLauncher(): Promise<LauncherSeen>
  look(): Look
  desired(): DesiredUpdate | undefined
  slots: SystemSlots | undefined
  /** Brings a file of the release: the line, at most so fast. */
  fetch(
    o: Omit<Fetch, 'origin' | 'path' | 'bucket'> & { version: string; name: string; perSecond?: number },
  ): Promise<void>
  installAgent(part: HeldPart, file: string, inUse: readonly string[]): Promise<void>
  /** Gives the tags that the decoys' images now have. */
  loadImages(part: HeldPart, file: string): Promise<Images>
  dropImages(tags: readonly string[]): Promise<void>
  /** Ends this process, so that the launcher decides. */
  end(code: number, why: string): void
  reboot(why: string): Promise<void>
}

type Executors = { [K in Step['do']]: (step: Extract<Step, { do: K }>, signal: AbortSignal) => Promise<void> }

/** Each step, done. What it changes durably is in the held file or in the launcher's; each may be broken off anywhere. */
export function makeExecutors(deps: ExecuteDeps): Executors {
  const { stateDir, disk, log, clock } = deps
  const launcher = launcherFiles(disk, stateDir)
  const current = (): Current => {
    const { current: now } = deps.held()
    if (!now) throw new Error('no update is under way')
    return now
  }
  const change = (what: Partial<Current>) => deps.save({ ...deps.held(), current: { ...current(), ...what } })
  const changePart = (part: HeldPart, what: Partial<HeldPart>) =>
    change({ parts: current().parts.map((one) => (one.sha256 === part.sha256 ? { ...one, ...what } : one)) })
  const whole = () => current().parts.reduce((sum, { bytes }) => sum + bytes, 0)

  async function conclude(what: Extract<Step, { do: 'conclude' }>): Promise<void> {
    const { phase, code, reason } = what
    const held = deps.held()
    const over = current()
    const taken = phase === 'confirmed'
    const words = { ...(code && { code }), ...(reason && { reason: reason.slice(0, 512) }) }
    await deps.tell(over, { phase, ...words })
    log.info({ version: over.version, phase, ...words }, 'an update is over')
    await removeParts(disk, stateDir, [])
    const settled = settle(held, { rollout: over.rollout, version: over.version, phase, ...words })
    await deps.save(taken ? afterTaking(settled, over) : { ...settled, unwanted: withImages(held, over.images) })
    await launcher.forget()
    if (over.slot === undefined || taken) return
    await deps.slots?.clearTrial()
    if (deps.slots?.booted().slot === over.slot) await deps.reboot('the system before is started again')
  }

  /** It came, and is not what was signed: once more, then never again. */
  async function altered(part: HeldPart, why: string): Promise<void> {
    log.warn({ file: part.file, why }, 'a part of a release is not what was signed')
    await removeParts(
      disk,
      stateDir,
      current().parts.filter(({ sha256 }) => sha256 !== part.sha256),
    )
    if (!part.again && current().source === 'plan') return changePart(part, { again: true })
    await conclude({ do: 'conclude', phase: 'failed', code: 'UPDATE_ALTERED', reason: `${part.file}: ${why}` })
  }

  return {
    async begin({ source, desired }) {
      const named = { rollout: desired.rollout, version: versionIn(desired) }
      try {
        const { manifest, parts, leftOut } = judge(desired, await deps.box())
        await checkSpace(stateDir, parts)
        await removeParts(disk, stateDir, parts)
        for (const why of leftOut) log.info({ version: manifest.version }, `left out of the update: ${why}`)
        const begun: Current = {
          rollout: desired.rollout,
          version: manifest.version,
          sequence: manifest.sequence,
          source,
          phase: 'fetching',
          parts: parts.map((part) => ({ ...part, stage: 'wanted', again: false })),
          confirmWithinSeconds: desired.confirmWithinSeconds,
          attempts: 0,
        }
        await deps.save({ ...deps.held(), current: begun })
        await deps.tell(begun, { phase: 'fetching', bytes: 0, of: whole() })
      } catch (error) {
        if (!(error instanceof MarshlightError)) throw error
        const { code } = error
        const phase = code === 'UPDATE_NO_SPACE' ? 'failed' : 'refused'
        const reason = `${error.message}. ${error.next}`.slice(0, 512)
        await deps.tell(named, { phase, code, reason })
        log.warn({ ...named, code }, reason)
        await deps.save(settle(deps.held(), { ...named, phase, code, reason }))
        if (source === 'offline') await removeOffline(disk, stateDir)
      }
    },

    async abandon({ because }) {
      log.info({ version: current().version }, `the update is dropped: ${because}`)
      await deps.save({ ...withoutCurrent(deps.held()), unwanted: withImages(deps.held(), current().images) })
    },

    async fetch({ part, from }, signal) {
      const { version, parts, source } = current()
      const others = parts.filter(({ stage }) => stage !== 'wanted').reduce((sum, { bytes }) => sum + bytes, 0)
      const tenth = (here: number) => Math.floor(((others + here) / whole()) * 10)
      let told = tenth(from)
      if (source === 'offline') return altered(part, 'it is not whole')
      const perSecond = deps.desired()?.bytesPerSecond
      await fetchPart(
        {
          fetch: (o) => deps.fetch({ ...o, version, name: part.file, ...(perSecond !== undefined && { perSecond }) }),
          ...{ clock, log, random: deps.random, signal, part, from, file: partPath(stateDir, part) },
        },
        (here) => {
          if (tenth(here) === told) return
          told = tenth(here)
          const telling = deps.tell(current(), { phase: 'fetching', bytes: others + here, of: whole() })
          telling.catch((error) => log.warn(`how far an update is was not told: ${wordsOf(error)}`))
        },
      ).catch((error) => {
        if (!(error instanceof MarshlightError)) throw error
        if (error.code === 'UPDATE_ALTERED') return altered(part, error.message)
        return conclude({ do: 'conclude', phase: 'failed', code: error.code, reason: error.message })
      })
    },

    async verify({ part }) {
      if (!(await isWhole(stateDir, part))) return altered(part, 'its hash is another than the one signed for')
      await changePart(part, { stage: 'fetched' })
      await disk.remove(tagFile(partPath(stateDir, part)))
    },

    async enter({ phase }) {
      // What an attempt before lacked says nothing of what comes.
      const { missing: _, ...rest } = current()
      const before = phase === 'trial' ? { before: beforeOf(deps.look()) } : {}
      await deps.save({ ...deps.held(), current: { ...rest, phase, attempts: 0, ...before } })
      await deps.tell(current(), { phase, ...(phase === 'fetched' && { bytes: whole(), of: whole() }) })
    },

    async install({ part }) {
      const file = partPath(stateDir, part)
      await change({ attempts: current().attempts + 1 })
      try {
        let slot: Slot | undefined
        let images: Images | undefined
        if (part.component === 'agent') {
          const { confirmed } = await deps.seeLauncher()
          const inUse = [deps.env?.runs, confirmed?.name].filter((name) => name !== undefined)
          await deps.installAgent(part, file, inUse)
        } else if (part.component === 'decoys') {
          images = await deps.loadImages(part, file)
        } else {
          slot = deps.slots?.booted().slot === 'A' ? 'B' : 'A'
          await deps.slots?.write(file)
        }
        await change({ ...(slot && { slot }), ...(images && { images }), attempts: 0 })
        await changePart(part, { stage: 'installed' })
      } catch (error) {
        await change({ missing: wordsOf(error).slice(0, 512) })
        if (error instanceof MarshlightError && error.code === 'UPDATE_UNUSABLE')
          return conclude({ do: 'conclude', phase: 'failed', code: error.code, reason: error.message })
        throw error
      }
    },

    async switch({ name }) {
      const { rollout, slot, confirmWithinSeconds, version } = current()
      await change({ attempts: current().attempts + 1 })
      // Power that went after the next line has the box start in that slot already.
      const other = slot && deps.slots?.booted().slot !== slot ? deps.slots : undefined
      await other?.setTrial(confirmWithinSeconds)
      await launcher.putTrial(rollout, name, confirmWithinSeconds)
      log.info({ version, slot }, 'the new version is started on trial')
      if (other) await deps.reboot(`release ${version} is started on trial`)
      else deps.end(startAgain, `release ${version} is started on trial`)
    },

    async confirm() {
      if (!deps.env) throw new Error('nothing is on trial')
      const { rollout, slot } = current()
      if (slot) await deps.slots?.confirm()
      await launcher.confirm(rollout, deps.env, (await deps.seeLauncher()).confirmed)
    },

    async goBack({ reason }) {
      await change({ missing: reason.slice(0, 512) })
      deps.end(goBack, reason)
    },

    conclude,
    forgetOffline: () => removeOffline(disk, stateDir),
    async cleanUp({ versions }) {
      for (const name of versions) await disk.remove(join(versionsFolder(stateDir), name))
      await launcher.forget()
    },

    async dropImages({ tags }) {
      await deps.dropImages(tags)
      await deps.save({ ...deps.held(), unwanted: [] })
    },
  }
}

/** For telling of a release that was refused: what it calls itself, if that can be read. */
function versionIn({ manifest }: Pick<Offline, 'manifest'>): string {
  try {
    const { version } = JSON.parse(manifest) as { version?: unknown }
    return typeof version === 'string' && /^[0-9A-Za-z][0-9A-Za-z.+~-]{0,63}$/.test(version) ? version : 'unknown'
  } catch {
    return 'unknown'
  }
}
