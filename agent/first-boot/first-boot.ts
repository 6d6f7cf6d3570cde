import { createHash, X509Certificate } from 'node:crypto'
import { type Clock, isoNow } from '../../shared/clock.ts'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { retryDelay } from '../../shared/retry.ts'
import { plainly } from '../../shared/system-errors.ts'
import {
  addressOfCode,
  enrol,
  lostKey,
  parseAddress,
  parseToken,
  readWiped,
  type TypedCode,
  typedBefore,
} from '../enrol/index.ts'
import { readKeptSite, saveKeptSite } from '../kept-site.ts'
import { type Command, makeApplier } from './apply.ts'
import { keepBegun, readBegun } from './begun.ts'
import { mendClock } from './mend-clock.ts'
import type { Found } from './places.ts'
import { plan, type Seen, type SeenFile, type Step } from './plan.ts'
import { readFileText, usedText } from './read-file.ts'
import { makeWho } from './who.ts'

/** What a technician is to see of it. */
export type Progress = {
  /** The controller that the file names, once there is a file. */
  controller?: { host: string; port: number; ca: string } | undefined
  names?: { site?: string | undefined; segment?: string | undefined; name?: string | undefined } | undefined
  waitsForApproval?: boolean
  waitsForFile?: boolean
  /** A code may be typed now. */
  takesCode?: boolean
  trouble?: { message: string; next: string; code?: string } | undefined
}

export type FirstBootDeps = {
  stateDir: string
  /** Where /run, /sys and /proc are: empty on a machine, another folder in tests. */
  root: string
  clock: Clock
  random: Random
  log: Log
  version: string
  signal: AbortSignal
  /** When this program was made, milliseconds since 1970. */
  built: number
  look(): Promise<(Found | MarshlightError)[]>
  command: Command
  /** Whether a time server has set the clock. */
  isSynchronized(): Promise<boolean>
  setClock(ms: number): Promise<void>
  /** A code that somebody typed at this box since it was asked last. */
  takeTyped?(): TypedCode | undefined
  tell(progress: Progress): void
  /** Before each step is carried out. */
  onStep?: (step: Step['kind']) => void
}

/** A stick may be put in at any time. */
const lookMs = 3_000
const retryMs = { firstMs: 3_000, capMs: 30_000 }

/**
 * From an enrolment file to an agent: see plan.ts for the steps. Returns when this box belongs to a controller and no
 * claim of its is left; rejects only with the signal's reason.
 */
export async function firstBoot(deps: FirstBootDeps): Promise<void> {
  const { clock, log, signal, random } = deps
  const applier = makeApplier(deps)
  const whoIs = makeWho(deps)
  const mending = { ...deps, floor: deps.built }
  /** Where the file cannot be written to. */
  const closed = new Set<string>()
  let failures = 0
  /** Typed at this box, and not known yet whether it is a good one. */
  let here: TypedCode | undefined
  /** The last code, where nobody takes it: told until another code or another file comes. */
  let refused: MarshlightError | undefined
  let filesBefore = ''
  /** A code is kept that did not serve yet, which may last, as in a wrong place: another may be typed meanwhile, and wins. */
  let leavesRoom = false
  while (true) {
    signal.throwIfAborted()
    let pauseMs = 0
    try {
      const { seen, found } = await observe()
      const step = plan(seen)
      deps.onStep?.(step.kind)
      if (step.kind === 'done') return
      pauseMs = await execute(step, found)
      failures = 0
    } catch (thrown) {
      signal.throwIfAborted()
      const error = plainly(thrown)
      const retryInMs = retryDelay(++failures, { ...retryMs, random })
      log.warn({ code: (error as { code?: string }).code, retryInMs }, wordsOf(error))
      deps.tell({ trouble: troubleOf(error), waitsForApproval: false, ...(leavesRoom ? { takesCode: true } : {}) })
      pauseMs = retryInMs
    }
    if (pauseMs > 0) await clock.sleep(pauseMs, signal)
  }

  async function observe(): Promise<{ seen: Seen; found: Found[] }> {
    const looked = (await deps.look()).filter((one) => one instanceof MarshlightError || !closed.has(one.where))
    const found = looked.filter((one) => !(one instanceof MarshlightError)) as Found[]
    const files = looked.map((one): SeenFile => {
      if (one instanceof MarshlightError) return { kind: 'bad', where: '', error: one }
      return readFileText(one.text, one.where)
    })
    const given = looked.map((one) => ('text' in one ? one.where + one.text : one.message)).join()
    if (given !== filesBefore) [refused, filesBefore] = [undefined, given]
    const { stateDir } = deps
    const [kept, begun] = await Promise.all([readKeptSite(stateDir), readBegun(stateDir)])
    const agent = (await whoIs(files.some((one) => one.kind === 'claim' && one.claimId !== begun)))?.agent
    const changes = await applier.changes(kept)
    const [typed, wiped] = await Promise.all([typedBefore(stateDir), readWiped(stateDir)])
    here ??= deps.takeTyped?.()
    return { seen: { files, agent, wiped: wiped?.agent, begun, typed: here ?? typed, kept, changes }, found }
  }

  /** Milliseconds until it is worth looking again. */
  async function execute(step: Exclude<Step, { kind: 'done' }>, found: readonly Found[]): Promise<number> {
    switch (step.kind) {
      case 'keep':
        await saveKeptSite(deps.stateDir, step.site)
        log.info({ site: step.site.site }, 'the settings of the site are kept')
        return 0
      case 'apply':
        await applier.apply(step.changes)
        log.info({ files: [...step.changes.files.keys()], hostname: step.changes.hostname }, 'the settings are applied')
        return 0
      case 'begin':
        await keepBegun(deps.stateDir, step.claimId)
        return 0
      case 'claim':
        await claim(step)
        return 0
      case 'claim-typed':
        return claimTyped(step)
      case 'erase':
        await erase(step, found)
        return 0
      case 'wait': {
        const used =
          step.used === undefined ? undefined : { message: `this file was used: ${step.used}`, next: askAnew }
        // A box that lost its key may still have its used file: why it lost it says more.
        const trouble = refused ?? step.trouble ?? (await lostKey(deps.stateDir))
        const told = trouble ? troubleOf(trouble) : used
        deps.tell({ controller: undefined, names: undefined, waitsForFile: true, takesCode: true, trouble: told })
        return lookMs
      }
    }
  }

  /** The only thing for which enrolling sleeps. */
  function waitsHere(ms: number, until?: AbortSignal): Promise<void> {
    deps.tell({ trouble: undefined, waitsForApproval: true, takesCode: false })
    return clock.sleep(ms, until)
  }

  async function claim(step: Extract<Step, { kind: 'claim' }>): Promise<void> {
    const kept = await readKeptSite(deps.stateDir)
    const proxy = kept?.proxy
    const { ca } = parseToken(step.claim, 0)
    const at = parseAddress(step.controller)
    const names = { site: kept?.site, segment: kept?.segment, name: kept?.hostname }
    leavesRoom = false
    deps.tell({ controller: { ...at, ca }, names, waitsForFile: false, takesCode: false })
    await mendClock(mending, { ...at, proxy, pin: ca })
    await enrolBy({ token: step.claim, controller: step.controller }, names)
  }

  /** One that nobody made is told and forgotten; with one whose maker was found the box goes on by itself. */
  async function claimTyped({ code, controller }: TypedCode): Promise<number> {
    const proxy = (await readKeptSite(deps.stateDir))?.proxy
    const at = addressOfCode(controller)
    refused = undefined
    if (here || !leavesRoom) deps.tell({ waitsForFile: false, takesCode: false, trouble: undefined })
    const onCa = async (pem: string) => {
      const ca = createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
      deps.tell({ controller: { ...at, ca } })
      await mendClock(mending, { ...at, proxy, pin: ca })
    }
    try {
      await enrolBy({ code, controller, onCa })
      return 0
    } catch (error) {
      leavesRoom = !signal.aborted && (await typedBefore(deps.stateDir)) !== undefined
      if (signal.aborted || !(error instanceof MarshlightError) || leavesRoom) throw error
      log.warn({ code: error.code }, error.message)
      refused = error
      return 0
    } finally {
      here = undefined
    }
  }

  async function enrolBy(
    by:
      | { token: string; controller: string }
      | { code: string; controller: string; onCa: (ca: string) => Promise<void> },
    names?: Progress['names'],
  ): Promise<void> {
    const kept = await readKeptSite(deps.stateDir)
    const identity = await enrol({
      ...by,
      stateDir: deps.stateDir,
      proxy: kept?.proxy,
      ...(kept?.hostname !== undefined && { hostname: kept.hostname }),
      version: deps.version,
      now: clock.now(),
      wait: { clock: { ...clock, sleep: waitsHere }, random, signal },
      onStep: (words) => log.info(words),
    })
    deps.tell({ trouble: undefined, waitsForApproval: false, names: { ...names, name: identity.name } })
    log.info({ agent: identity.agent, name: identity.name }, 'this box is claimed')
  }

  async function erase({ where, file }: Extract<Step, { kind: 'erase' }>, found: readonly Found[]): Promise<void> {
    const identity = await whoIs()
    if (!identity) return
    const { agent, name } = identity
    try {
      for (const one of found.filter((each) => each.where === where))
        await one.overwrite(usedText(file, { agent, name, at: isoNow(clock) }, Buffer.byteLength(one.text)))
      log.info({ where }, 'the claim is taken out of the file')
    } catch (error) {
      // Write-protected, or pulled out. The claim was used, and opens nothing any more.
      closed.add(where)
      log.warn({ where, why: wordsOf(error) }, 'the used claim could not be taken out of the file')
    }
  }
}

const troubleOf = (error: unknown) =>
  error instanceof MarshlightError
    ? { message: error.message, next: error.next, code: error.code }
    : { message: wordsOf(error), next: 'It is tried again.' }

const askAnew = 'Ask the administrator for a new file.'
