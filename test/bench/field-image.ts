import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage } from '../../provisioning/image/build.ts'
import { makeBox } from '../appliance/box.ts'
import { firstBoot } from '../appliance/first-boot.ts'
import { acceleration, type Machine, mustBoot } from '../appliance/machine.ts'
import { makePlace, type Place } from '../appliance/place.ts'
import { until } from '../appliance/wait.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import type { Bench, Row } from './row.ts'

const projectRoot = join(import.meta.dirname, '../..')
/** Until what starts once has ended. */
const settledMs = 60_000
const manyDecoys = 10
const deploySeconds = 2400

/**
 * The amd64 image as it is sent out: its size, how long a build takes that fetches Debian's packages (no row where they
 * are here already; `.cache/appliance` holds them), how long another one takes, which has them, and how
 * long a box in QEMU takes from power-on, with nobody at it, until the controller beside it has its claim, and until a
 * decoy of it answers a neighbour. RAM is what the system says is not available, a minute after a box without decoys
 * connected. The two builds have to have the same root. Emulated processors, where there is no KVM, are several times as
 * slow as a NUC's.
 */
export const fieldImageBench: Bench = {
  names: [
    ...['image.size', 'image.build_fresh', 'image.build_cached'],
    ...['image.boot_to_claimed', 'image.boot_to_first_decoy', 'image.ram_idle'],
  ],
  run: (progress) =>
    inFolder(async (folder) => {
      progress('a first build, which may fetch packages')
      const first = await build(folder)
      if (!first.fetched) progress('it had the packages of another build: no image.build_fresh')
      progress('a second one')
      const { file: image, bytes, seconds, rootSha256 } = await build(folder)
      if (rootSha256 !== first.rootSha256)
        throw new Error(`two builds have two roots: ${first.rootSha256} and ${rootSha256}`)
      progress(`a box boots with ${acceleration() === 'kvm' ? 'KVM' : 'emulated processors'}`)
      const times = await cleanedUp(async (ends) => {
        const { place, box } = await boxAt({ ends, folder, image, decoys: 1 })
        return firstBoot(place, box, 'bench', { tell: progress })
      })
      progress('a box without decoys')
      let used = Number.NaN
      await cleanedUp(async (ends) => {
        const { place, box } = await boxAt({ ends, folder, image, decoys: 0 })
        const whileOn = async () => {
          used = await ramOf(place)
        }
        await firstBoot(place, box, 'bench', { tell: progress, upTo: 'connected', whileOn })
      })
      return [
        row('image.size', bytes / 1e6, 'MB'),
        ...(first.fetched ? [row('image.build_fresh', first.seconds, 's')] : []),
        row('image.build_cached', seconds, 's'),
        row('image.boot_to_claimed', times.claimed ?? Number.NaN, 's'),
        row('image.boot_to_first_decoy', times.decoy ?? Number.NaN, 's'),
        row('image.ram_idle', used, 'MB'),
      ]
    }),
}

/** The same box once ten decoys are ready, a minute later: without KVM they need most of an hour. */
export const fieldImageDecoysBench: Bench = {
  names: ['image.ram_10_decoys'],
  run: (progress) =>
    inFolder(async (folder) => {
      const { file: image } = await build(folder)
      let used = Number.NaN
      await cleanedUp(async (ends) => {
        const { place, box } = await boxAt({ ends, folder, image, decoys: manyDecoys })
        const whileOn = async (machine: Machine) => {
          progress(`until ${manyDecoys} are ready`)
          await ready(place, machine)
          used = await ramOf(place)
        }
        await firstBoot(place, box, 'bench', { tell: progress, whileOn })
      })
      return [row('image.ram_10_decoys', used, 'MB')]
    }),
}

function inFolder(measure: (folder: string) => Promise<Row[]>): Promise<Row[]> {
  return cleanedUp(async ({ add }) => {
    mustBoot()
    const cache = join(projectRoot, '.cache/appliance')
    await mkdir(cache, { recursive: true })
    const folder = await mkdtemp(join(cache, 'bench-'))
    add(() => rm(folder, { recursive: true, force: true }))
    return measure(folder)
  })
}

async function build(out: string) {
  const [began, at] = [performance.now(), Date.now()]
  const images = join(projectRoot, '.cache/images')
  const made = await buildImage({
    ...{ architecture: 'amd64', projectRoot, images, out },
    progress: (_what, work) => work(),
  })
  const seconds = (performance.now() - began) / 1000
  return { ...made, seconds, fetched: Date.parse(made.packagesFetchedAt) >= at }
}

async function boxAt({ ends, ...o }: { ends: CleanUp; folder: string; image: string; decoys: number }) {
  const folder = await mkdtemp(join(o.folder, 'box-'))
  ends.add(() => rm(folder, { recursive: true, force: true }))
  const place = await makePlace({ after: ends.add }, { folder, decoys: o.decoys })
  const enrolment = await place.invitation('bench', { ssh: { authorizedKeys: [place.sshKey] } })
  return { place, box: await makeBox({ image: o.image, folder, firmware: 'uefi', plug: place.plug, enrolment }) }
}

type Decoys = { items: { phase: string }[] }

const ready = (place: Place, machine: Machine) =>
  until(
    machine,
    `${manyDecoys} decoys are ready`,
    async () => {
      const { items } = await place.api.get<Decoys>('/v1/decoys')
      return items.filter(({ phase }) => phase === 'ready').length >= manyDecoys
    },
    deploySeconds,
  )

/** MB that the box says are in use once it is quiet. */
async function ramOf(place: Place): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, settledMs))
  return usedMb(await place.onBox('cat', '/proc/meminfo'))
}

function usedMb(meminfo: string): number {
  const kb = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1])
  return ((kb('MemTotal') - kb('MemAvailable')) * 1024) / 1e6
}

const row = (name: string, value: number, unit: string): Row => ({
  ...{ name, value, unit },
  better: 'lower',
  target: null,
  reference: null,
})
