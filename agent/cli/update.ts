import type { Clock } from '../../shared/clock.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { idOf, newId } from '../../shared/ids.ts'
import type { Random } from '../../shared/random.ts'
import type { Architecture } from '../../shared/schemas/update.ts'
import { readHeld, type Settled } from '../updates/held.ts'
import { ownKeys, readKeys, shippedKeys } from '../updates/keys.ts'
import { openBundle, takeBundle } from '../updates/offline.ts'
import { asJson, type Terminal } from './print.ts'
import { askStatus } from './status-socket.ts'

export type UpdateCommand = {
  stateDir: string
  from: string
  allowOlder: boolean
  /** A release that this box took or tried before is not begun again: only told of. */
  once: boolean
  confirmWithinSeconds: number
  json: boolean
  clock: Clock
  random: Random
}

const lookMs = 500
/** Beyond the trial's own time: unpacking, loading images, writing a slot, a start of the box. */
const workMs = 1_800_000

/** Takes a release from a stick, and waits until this box runs it or went back. Exit code 1 where it went back. */
export async function update(o: UpdateCommand, terminal: Terminal): Promise<number> {
  const { stateDir, clock, allowOlder, confirmWithinSeconds } = o
  const warn = (fields: object, words?: string) =>
    terminal.err(`warning: ${words}: ${(fields as { path?: string }).path}`)
  const keys = await readKeys([shippedKeys, ownKeys(stateDir)], { warn } as Parameters<typeof readKeys>[1])
  const arch: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const bundle = await openBundle(o.from)
  const rollout = o.once ? idOf(await bundle.text('manifest.json')) : newId(clock.now())
  const book = await readHeld(stateDir)
  const held = o.once ? book : undefined
  const before = held?.settled.find((one) => one.rollout === rollout)
  if (before) return told(before, o, terminal, `This box took release ${before.version} before.`)
  // Under way since before this box, or this command, started anew.
  const underWay = held?.current?.rollout === rollout ? held.current : undefined
  const { version } =
    underWay ??
    (await takeBundle({
      ...{ bundle, stateDir, keys, arch, rollout, allowOlder, confirmWithinSeconds },
      ...(!(await runs(stateDir)) && { highest: book?.highest ?? 0 }),
      onPart: (part) => terminal.err(`${part.component} ${part.version}: copied and verified ...`),
    }))
  if (!(await runs(stateDir))) {
    if (o.json) terminal.out(asJson({ version, phase: 'waiting' }))
    else
      terminal.out(`Release ${version} is here. It is installed when the agent runs: systemctl start marshlight-agent`)
    return 0
  }
  return told(await wait(o, rollout, terminal), o, terminal)
}

/** Whether the agent runs. One that listens and takes its time, as after a start of the box, does. */
const runs = (stateDir: string) =>
  askStatus(stateDir).then(
    (status) => status !== undefined,
    (error) => {
      if (error instanceof MarshlightError && error.code === 'TIMEOUT') return true
      throw error
    },
  )

function told(over: Settled, o: UpdateCommand, terminal: Terminal, well = `This box runs release ${over.version}.`) {
  const { version, phase, code, reason } = over
  if (o.json) terminal.out(asJson({ version, phase, code, reason }))
  else terminal.out(phase === 'confirmed' ? well : `${version}: ${phase}: ${reason}`)
  return phase === 'confirmed' ? 0 : 1
}

/** What became of it, from the agent's own book: the agent may be another process meanwhile. */
async function wait(o: UpdateCommand, rollout: string, terminal: Terminal): Promise<Settled> {
  const { clock, stateDir, confirmWithinSeconds } = o
  const until = clock.now() + confirmWithinSeconds * 1000 + workMs
  let shown: string | undefined
  while (clock.now() < until) {
    const held = await readHeld(stateDir)
    const over = held?.settled.find((one) => one.rollout === rollout)
    if (over) return over
    const phase = held?.current?.rollout === rollout ? held.current.phase : undefined
    if (phase !== undefined && phase !== shown) terminal.err(`${phase} ...`)
    shown = phase ?? shown
    await clock.sleep(lookMs)
  }
  const next = 'It goes on by itself: see `marshlight-agent status`.'
  throw new MarshlightError('TIMEOUT', { what: 'the update', seconds: confirmWithinSeconds + workMs / 1000, next })
}
