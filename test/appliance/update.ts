import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../../provisioning/build/command.ts'
import { copier, fat } from '../../provisioning/image/fat.ts'
import type { Box } from './box.ts'
import { agentsOf, patienceSeconds } from './first-boot.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'
import { until } from './wait.ts'

/** A box that does not report well so soon after the start of its trial goes back; emulated processors take their time. */
const confirmWithin = '4m'
/** Connected, a box says soon what it runs. */
const plannedSeconds = 180

type Shown = {
  id: string
  status: string
  why: string | null
  boxes: { phase: string | null; bytes: number | null; of: number | null; why: string[] }[]
}
export type UpdateWorld = {
  place: Place
  box: Box
  name: string
  folder: string
  /** The key that releases are signed by, and its public part beside it. */
  key: string
  tell: (line: string) => void
  /** Each machine that it is switched on as. */
  onMachine(machine: Machine): void
  onLine?: (line: string) => void
}

/** Releases of systems given out by the controller, as an administrator does it, and what becomes of the one box. */
function makeUpdates(world: UpdateWorld) {
  const { place, box, folder, key, tell } = world
  let sequence = 0
  let machine: Machine

  const shown = (id: string) => place.api.get<Shown>(`/v1/rollouts/${id}`)
  const phaseOf = ({ boxes }: Shown) => boxes[0]?.phase ?? 'ordered'

  /** Makes a release of this system, gives it to the controller, and starts a rollout for the only box. */
  async function giveOut(system: string, version: string): Promise<string> {
    const out = await mkdtemp(join(folder, 'release-'))
    const made = ['updates', 'make', '--version', version, '--sequence', String(++sequence), '--key', key]
    await place.marshlight(...made, '--system', system, '--out', join(out, version))
    await place.marshlight('updates', 'add', join(out, version))
    await rm(out, { recursive: true })
    let id = ''
    const isPlanned = async () => {
      id = await planned(version)
      return true
    }
    await until(machine, 'it said what it runs, and is planned for', isPlanned, plannedSeconds)
    await place.marshlight('updates', 'start', id)
    return id
  }

  async function planned(version: string): Promise<string> {
    const plan = ['updates', 'plan', version, '--rings', '100%', '--gate', '0m', '--confirm', confirmWithin]
    return (JSON.parse(await place.marshlight('--json', ...plan)) as { id: string }).id
  }

  /** Tells each phase with the seconds since `began`; resolves once `ends` fits. */
  async function follow(id: string, what: string, ends: (now: Shown) => boolean): Promise<Shown> {
    const began = performance.now()
    let last = ''
    let now: Shown | undefined
    await until(
      machine,
      what,
      async () => {
        now = await shown(id)
        const phase = phaseOf(now)
        if (phase !== last)
          tell(`${String(Math.round((performance.now() - began) / 1000)).padStart(7)} s  ${phase}${words(now)}`)
        last = phase
        return ends(now)
      },
      patienceSeconds,
    )
    return now as Shown
  }
  const words = ({ boxes }: Shown) => boxes[0]?.why.map((why) => `: ${why}`).join('') ?? ''

  return {
    giveOut,
    follow,
    use(given: Machine) {
      machine = given
    },
    /** The mains go when the rollout is so far; then the box is switched on again. */
    async cutWhen(id: string, what: string, ready: (now: Shown) => boolean): Promise<void> {
      await follow(id, what, ready)
      await machine.cut()
      tell(`           the mains go: ${what}`)
      machine = await box.powerOn(world.onLine)
      world.onMachine(machine)
    },
    async confirmed(id: string, version: string): Promise<void> {
      const { why } = await follow(id, `${version} is confirmed`, ({ status }) => status !== 'running')
      const { status, boxes } = await shown(id)
      if (status !== 'done' || boxes[0]?.phase !== 'confirmed')
        throw new Error(`the rollout of ${version} is ${status} (${why}), the box ${JSON.stringify(boxes)}`)
      await this.runs(version)
    },
    async wentBack(id: string, version: string, to: string): Promise<void> {
      await follow(id, `${version} is left again`, ({ boxes }) => boxes[0]?.phase === 'rolled-back')
      await until(machine, 'the rollout pauses', async () => (await shown(id)).status === 'paused', 120)
      tell(indented(await place.marshlight('updates', 'status', id)))
      await this.runs(to)
    },
    /** What the controller shows of the box. */
    async runs(version: string): Promise<void> {
      const fits = async () => {
        const one = (await agentsOf(place)).find(({ name }) => name === world.name)
        return one?.presence === 'online' && one.version === version
      }
      await until(machine, `the box says that it runs ${version}`, fits, patienceSeconds)
      tell(`           the controller has it online with ${version}`)
    },
  }
}

/** A new system that is good, during which the mains go while it is fetched, and while it is written to the other slot. */
export async function takeGood(world: UpdateWorld, machine: Machine, system: string): Promise<void> {
  const updates = await begin(world, machine)
  const id = await updates.giveOut(system, good)
  const third = ({ boxes }: Shown) => (boxes[0]?.bytes ?? 0) > (boxes[0]?.of ?? Number.POSITIVE_INFINITY) / 3
  await updates.cutWhen(id, 'a third of it is there', third)
  await updates.cutWhen(id, 'it is being written to the other slot', ({ boxes }) => boxes[0]?.phase === 'installing')
  await updates.confirmed(id, good)
}

/**
 * A good one on a stick, by itself: signed for this box, given to no controller. The stick is in at a start, and stays in over
 * the restart that the update makes; at the end the box says that it does not take it twice.
 */
export async function takeFromStick(world: UpdateWorld, machine: Machine, system: string): Promise<void> {
  const { place, folder, key, tell, box, onMachine, onLine } = world
  const release = join(folder, 'stick')
  const made = ['updates', 'make', '--version', good, '--sequence', '1', '--key', key, '--system', system]
  await place.marshlight(...made, '--out', release)
  const name = `marshlight-release-${good}.tar`
  await command('tar', ['-cf', join(folder, name), '-C', release, '.'])
  await rm(release, { recursive: true })
  const stick = await fat(join(folder, 'stick.fat'), { label: 'STICK', id: '53544943', sizeMiB: 2048, bits: 32 })
  await copier(stick, Math.floor(Date.now() / 1000)).file(join(folder, name), name)
  await rm(join(folder, name))
  await machine.cut()
  const plugged = await box.powerOn(onLine, stick)
  onMachine(plugged)
  tell('           switched on with a stick in it')
  await plugged.says(/stick: marshlight-release-.* is being taken/, patienceSeconds)
  const updates = makeUpdates(world)
  updates.use(plugged)
  await updates.runs(good)
  await plugged.says(/stick: marshlight-release-[^:]*: This box (runs|took) release/, patienceSeconds)
  tell('           its console says that it runs the release of the stick')
}

/** One that panics where init should be: it is left by itself, and told. */
export async function leaveBroken(world: UpdateWorld, machine: Machine, system: string): Promise<void> {
  const before = (await agentsOf(world.place)).find(({ name }) => name === world.name)?.version ?? ''
  const updates = await begin(world, machine)
  const id = await updates.giveOut(system, broken)
  await updates.follow(id, 'it is on trial', ({ boxes }) => boxes[0]?.phase === 'trial')
  await machine.says(/Kernel panic|No init found|Attempted to kill init/, patienceSeconds)
  world.tell('           its console says that the kernel panics')
  await updates.wentBack(id, broken, before)
}

async function begin(world: UpdateWorld, machine: Machine) {
  const updates = makeUpdates(world)
  updates.use(machine)
  await world.place.marshlight('updates', 'trust', publicOf(world.key))
  return updates
}

export const [good, broken] = ['0.2.0', '0.3.0']
const publicOf = (key: string) => `${key}.pub`
const indented = (text: string) => text.replace(/^(?=.)/gm, '           | ').trimEnd()
