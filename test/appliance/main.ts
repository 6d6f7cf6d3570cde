#!/usr/bin/env node
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createProgress } from '../../provisioning/build/progress.ts'
import { buildImage } from '../../provisioning/image/build.ts'
import { wordsOf } from '../../shared/errors.ts'
import { cleanedUp } from '../bench/clean-up.ts'
import { makeBox } from './box.ts'
import { firstBoot } from './first-boot.ts'
import { acceleration, type Firmware, type Machine, mustBoot } from './machine.ts'
import { tryOtherSlot } from './other-slot.ts'
import { makePlace, type Place } from './place.ts'
import { cutDuringFirstBoot } from './power-cuts.ts'

/** `npm run images:test [-- [--image FILE] [--console] STORY...]`: builds the image, boots it in QEMU beside a controller. */
const projectRoot = join(import.meta.dirname, '../..')
const { values, positionals } = parseArgs({
  options: { image: { type: 'string' }, console: { type: 'boolean' } },
  allowPositionals: true,
})
const tell = (line: string) => process.stdout.write(`${line}\n`)
const onLine = values.console ? (line: string) => process.stderr.write(`| ${line}\n`) : undefined

type World = { place: Place; folder: string; image: string }
type Story = { what: string; run(world: World): Promise<void> }

const boots = (firmware: Firmware, upTo?: 'connected'): Story => ({
  what: `by ${firmware}, from power-on to ${upTo ?? 'a decoy that answers'}`,
  async run({ place, folder, image }) {
    tell(`           ${acceleration() === 'kvm' ? 'KVM' : 'emulated processors: KVM does not run firmware here'}`)
    const name = `box-${firmware}`
    const enrolment = await place.invitation(name, { ssh: { authorizedKeys: [place.sshKey] } })
    const box = await makeBox({ image, folder, firmware, plug: place.plug, enrolment })
    await firstBoot(place, box, name, { tell, ...(onLine && { onLine }), ...(upTo && { upTo }) })
    await rm(box.disk)
  },
})

const o = { tell, ...(onLine && { onLine }) }

const powerCuts: Story = {
  what: 'the mains go again and again during the first boot',
  async run({ place, folder, image }) {
    const enrolment = await place.invitation('box-cuts')
    const box = await makeBox({ image, folder, firmware: 'uefi', plug: place.plug, enrolment })
    await cutDuringFirstBoot(place, box, 'box-cuts', o)
  },
}

const otherSlot: Story = {
  what: 'a good system in the other slot, one that is not confirmed, one that does not start',
  async run({ place, folder, image }) {
    const enrolment = await place.invitation('box-slots', { ssh: { authorizedKeys: [place.sshKey] } })
    const box = await makeBox({ image, folder, firmware: 'uefi', plug: place.plug, enrolment })
    const system = image.replace(/marshlight-([^/]*)-amd64\.img\.zst$/, 'marshlight-system_$1_amd64.squashfs')
    const whileOn = (machine: Machine) => tryOtherSlot(place, machine, { tell, system, folder })
    await firstBoot(place, box, 'box-slots', { ...o, upTo: 'connected', whileOn })
  },
}

const stories: Record<string, Story> = {
  uefi: boots('uefi'),
  secure: boots('secure', 'connected'),
  bios: boots('bios', 'connected'),
  cuts: powerCuts,
  slots: otherSlot,
}

async function main(): Promise<number> {
  const unknown = positionals.filter((name) => !Object.hasOwn(stories, name))
  if (unknown.length > 0) {
    process.stderr.write(
      `images:test: there is no story ${unknown.join(', ')}; there are ${Object.keys(stories).join(', ')}\n`,
    )
    return 2
  }
  mustBoot()
  const images = join(projectRoot, '.cache/images')
  const image =
    values.image ??
    (await buildImage({ projectRoot, images, out: join(projectRoot, 'dist'), progress: createProgress() })).file
  tell(image)
  let failed = 0
  for (const [name, story] of Object.entries(stories)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    tell(`\n${name}: ${story.what}`)
    const began = performance.now()
    try {
      // Not in /tmp, which may be memory: a card has gigabytes.
      const cache = join(projectRoot, '.cache/appliance')
      await mkdir(cache, { recursive: true })
      await cleanedUp(async ({ add }) => {
        const folder = await mkdtemp(join(cache, 'test-'))
        add(() => rm(folder, { recursive: true, force: true }))
        const place = await makePlace({ after: add }, { folder, decoys: 1 })
        await story.run({ place, folder, image })
      })
      tell(`ok      ${name}, ${Math.round((performance.now() - began) / 1000)} s`)
    } catch (error) {
      failed += 1
      tell(`FAILED  ${name}: ${wordsOf(error)}${error instanceof Error && 'next' in error ? `\n${error.next}` : ''}`)
    }
  }
  return failed > 0 ? 1 : 0
}

process.exitCode = await main()
