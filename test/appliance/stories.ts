import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Architecture } from '../../provisioning/deb/architectures.ts'
import { sourceDate } from '../../provisioning/deb/source-date.ts'
import { isArm } from './arm-machine.ts'
import { asMeant } from './as-meant.ts'
import { makeBox } from './box.ts'
import { connected, firstBoot, patienceSeconds } from './first-boot.ts'
import { acceleration, type Firmware, type Machine } from './machine.ts'
import { type OtherSystem, otherSystems } from './other-system.ts'
import type { Place } from './place.ts'
import { cutDuringFirstBoot } from './power-cuts.ts'
import { takeBack } from './taken-back.ts'
import { broken, good, leaveBroken, takeFromStick, takeGood, type UpdateWorld } from './update.ts'

export type World = {
  place: Place
  folder: string
  image: string
  /** By which releases for the image's boxes are signed. */
  key: string
  tell: (line: string) => void
  onLine?: (line: string) => void
}

export type Story = {
  architecture: Architecture
  what: string
  withoutDhcp?: true
  /** That the controller deploys by itself; none where the story is of something else. */
  decoys?: number
  run(world: World): Promise<void>
}

const projectRoot = join(import.meta.dirname, '../..')
/** Four bytes of attributes, then 1 where the firmware checks what it starts. */
const secureBootVariable = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c'

const boots = (firmware: Firmware, upTo?: 'connected'): Story => ({
  architecture: isArm(firmware) ? 'arm64' : 'amd64',
  what: `by ${firmware}, from power-on to ${upTo ?? 'a decoy that answers'}`,
  decoys: upTo ? 0 : 1,
  async run({ place, folder, image, tell, ...o }) {
    const played = isArm(firmware) ? 'emulated processors' : 'emulated processors: KVM does not run firmware here'
    tell(`           ${!isArm(firmware) && acceleration() === 'kvm' ? 'KVM' : played}`)
    const name = `box-${firmware}`
    const enrolment = await place.invitation(name, { ssh: { authorizedKeys: [place.sshKey] } })
    const box = await makeBox({ image, folder, firmware, plug: place.plug, enrolment })
    const whileOn = async (machine: Machine) => {
      if (firmware === 'uefi' || firmware === 'pi')
        await asMeant(place, { machine, hardened: firmware === 'uefi', tell })
      if (firmware !== 'secure') return
      const state = await place.onBox('od', '-An', '-tu1', secureBootVariable)
      if (!/ 1\s*$/.test(state)) throw new Error(`Secure Boot is not on: ${state}`)
      tell('           its firmware says by SSH that Secure Boot is on')
    }
    await firstBoot(place, box, name, { tell, whileOn, ...o, ...(upTo && { upTo }) })
    await rm(box.disk)
  },
})

const powerCuts: Story = {
  architecture: 'amd64',
  what: 'the mains go again and again during the first boot',
  async run({ place, folder, image, ...o }) {
    const enrolment = await place.invitation('box-cuts')
    const box = await makeBox({ image, folder, firmware: 'uefi', plug: place.plug, enrolment })
    await cutDuringFirstBoot(place, box, 'box-cuts', o)
  },
}

const badPlace: Story = {
  architecture: 'amd64',
  what: 'its clock says 1970, and nobody gives it an address at first',
  withoutDhcp: true,
  async run({ place, folder, image, tell, onLine }) {
    const enrolment = await place.invitation('box-faults')
    const clock = '1970-01-01T00:00:00'
    const box = await makeBox({ image, folder, firmware: 'uefi', plug: place.plug, enrolment, clock })
    const machine = await box.powerOn(onLine)
    try {
      const [, next] = await machine.says(/"state":"no-address","next":"([^"]*)"/, patienceSeconds)
      tell(`           its console says that it has no address, and: ${next}`)
      await place.giveOut()
      tell('           addresses are given out now')
      await connected(place, machine, 'box-faults')
      tell('           claimed and connected, with a certificate that began long after 1970')
    } finally {
      await machine.cut()
    }
  },
}

const smallCard: Story = {
  architecture: 'amd64',
  what: 'its card ends before the image does',
  async run({ place, folder, image, tell, onLine }) {
    const box = await makeBox({ image, folder, firmware: 'uefi', plug: place.plug, lacksBytes: 64 * 2 ** 20 })
    const machine = await box.powerOn(onLine)
    try {
      for (const start of ['first', 'second']) {
        const [said] = await machine.says(/cannot start: this card is too small.*/, patienceSeconds)
        tell(`           at the ${start} start it says: ${said}`)
      }
    } finally {
      await machine.cut()
    }
  },
}

/** A box that is connected, another system for it, and what then becomes of both. */
const updated = (
  what: string,
  system: OtherSystem,
  then: (world: UpdateWorld, machine: Machine, file: string) => Promise<unknown>,
): Story => ({
  architecture: 'amd64',
  what,
  async run(world) {
    const { place, folder, image, tell, onLine } = world
    const name = 'box-update'
    const built = image.replace(/marshlight-([^/]*)-amd64\.img\.zst$/, 'marshlight-system_$1_amd64.squashfs')
    const epoch = await sourceDate(projectRoot)
    const [file = ''] = await otherSystems({ system: built, folder, epoch, systems: [system] })
    const enrolment = await place.invitation(name, { ssh: { authorizedKeys: [place.sshKey] } })
    const box = await makeBox({ image, folder, firmware: 'uefi', plug: place.plug, enrolment })
    let last: Machine | undefined
    const onMachine = (machine: Machine) => {
      last = machine
    }
    const whileOn = (machine: Machine) => then({ ...world, box, name, onMachine }, machine, file).then(() => undefined)
    try {
      await firstBoot(place, box, name, { tell, ...(onLine && { onLine }), upTo: 'connected', whileOn })
    } finally {
      await last?.cut()
    }
  },
})

const update = updated(
  'a good system by the controller; the mains go while it is fetched, and while it is written',
  { version: good },
  takeGood,
)
const stick = updated('a good system on a USB stick: the box takes it by itself', { version: good }, takeFromStick)
const goBack = updated(
  'a system that panics, by the controller: the box goes back by itself; then it is taken back',
  { version: broken, fault: 'kernel' },
  async (world, machine, file) => {
    await leaveBroken(world, machine, file)
    await takeBack(world.place, { ...world, machine })
  },
)

export const stories: Readonly<Record<string, Story>> = {
  uefi: boots('uefi'),
  secure: boots('secure', 'connected'),
  bios: boots('bios', 'connected'),
  faults: badPlace,
  small: smallCard,
  cuts: powerCuts,
  update,
  stick,
  'go-back': goBack,
  virt: boots('virt'),
  pi: boots('pi'),
}
