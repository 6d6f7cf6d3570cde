import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage } from '../../provisioning/image/build.ts'
import { makeBox } from '../appliance/box.ts'
import { firstBoot } from '../appliance/first-boot.ts'
import { acceleration, mustBoot } from '../appliance/machine.ts'
import { makePlace } from '../appliance/place.ts'
import { type CleanUp, cleanedUp } from './clean-up.ts'
import type { Bench, Row } from './row.ts'

const projectRoot = join(import.meta.dirname, '../..')
/** Until what starts once has ended. */
const settledMs = 60_000

/**
 * The amd64 image as it is sent out: its size, how long another build takes that has Debian's packages already, and how
 * long a box in QEMU takes from power-on, with nobody at it, until the controller beside it has its claim, and until a
 * decoy of it answers a neighbour. RAM is what the system says is not available, a minute after a box without decoys
 * connected. Emulated processors, where there is no KVM, are several times as slow as a NUC's.
 */
export const fieldImageBench: Bench = {
  names: ['image.size', 'image.build_cached', 'image.boot_to_claimed', 'image.boot_to_first_decoy', 'image.ram_idle'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      mustBoot()
      const cache = join(projectRoot, '.cache/appliance')
      await mkdir(cache, { recursive: true })
      const folder = await mkdtemp(join(cache, 'bench-'))
      cleanUp.add(() => rm(folder, { recursive: true, force: true }))
      const build = async () => {
        const began = performance.now()
        const images = join(projectRoot, '.cache/images')
        const made = await buildImage({ projectRoot, images, out: folder, progress: (_what, work) => work() })
        return { ...made, seconds: (performance.now() - began) / 1000 }
      }
      progress('a first build, which may fetch packages')
      await build()
      progress('a second one')
      const { file: image, bytes, seconds } = await build()
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
          await new Promise((resolve) => setTimeout(resolve, settledMs))
          used = usedMb(await place.onBox('cat', '/proc/meminfo'))
        }
        await firstBoot(place, box, 'bench', { tell: progress, upTo: 'connected', whileOn })
      })
      return [
        row('image.size', bytes / 1e6, 'MB'),
        row('image.build_cached', seconds, 's'),
        row('image.boot_to_claimed', times.claimed ?? Number.NaN, 's'),
        row('image.boot_to_first_decoy', times.decoy ?? Number.NaN, 's'),
        row('image.ram_idle', used, 'MB'),
      ]
    }),
}

async function boxAt({ ends, ...o }: { ends: CleanUp; folder: string; image: string; decoys: number }) {
  const folder = await mkdtemp(join(o.folder, 'box-'))
  ends.add(() => rm(folder, { recursive: true, force: true }))
  const place = await makePlace({ after: ends.add }, { folder, decoys: o.decoys })
  const enrolment = await place.invitation('bench', { ssh: { authorizedKeys: [place.sshKey] } })
  return { place, box: await makeBox({ image: o.image, folder, firmware: 'uefi', plug: place.plug, enrolment }) }
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
