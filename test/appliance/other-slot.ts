import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../../provisioning/build/command.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'
import { until } from './wait.ts'

const slots = '/usr/lib/marshlight/slots'
const bootSeconds = 900
const onCard = '/data/new.squashfs'

type Shown = { running: string; confirmed: string; trial: string }
type Told = { tell: (line: string) => void }

async function shown({ onBox }: Place): Promise<Shown> {
  const text = await onBox(slots, 'show')
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  ) as Shown
}

/** A trial is left by itself that soon. */
const shortSeconds = 150

/**
 * The system's two slots on a box that runs: a good system is tried and confirmed, one that nobody confirms is left, and
 * one that has no init panics and is left, without a hand on the box.
 */
export async function tryOtherSlot(
  place: Place,
  machine: Machine,
  o: Told & { system: string; folder: string },
): Promise<void> {
  const { tell } = o
  const is = async (what: string, wanted: Partial<Shown>) => {
    const fits = async () => Object.entries(wanted).every(([key, value]) => found[key as keyof Shown] === value)
    let found: Shown = { running: '', confirmed: '', trial: '' }
    await until(
      machine,
      what,
      async () => {
        found = await shown(place)
        return fits()
      },
      bootSeconds,
    )
    tell(`           ${what}`)
  }
  const restart = () => place.onBox('systemctl', 'reboot').catch(() => undefined)

  await is('slot A runs', { running: 'A', confirmed: 'A', trial: 'no' })
  await place.copyToBox(o.system, onCard)
  await place.onBox(slots, 'write', onCard)
  await place.onBox(slots, 'try', String(bootSeconds))
  await restart()
  await is('slot B runs on trial', { running: 'B', confirmed: 'A', trial: 'yes' })
  await place.onBox(slots, 'confirm')
  await restart()
  await is('slot B, confirmed, runs after a restart', { running: 'B', confirmed: 'B', trial: 'no' })

  await place.onBox(slots, 'write', onCard)
  await place.onBox(slots, 'try', String(shortSeconds))
  await restart()
  await machine.says(/not confirmed in time/, bootSeconds)
  await is('slot A, which nobody confirmed, was left for B', { running: 'B', confirmed: 'B', trial: 'no' })

  await place.copyToBox(await withoutInit(o.system, o.folder), onCard)
  await place.onBox(slots, 'write', onCard)
  await place.onBox(slots, 'try')
  await restart()
  await machine.says(/Kernel panic|No init found|Attempted to kill init|ALERT/, bootSeconds)
  await is('slot A, which has no init, was left for B', { running: 'B', confirmed: 'B', trial: 'no' })
}

/** A system of the same kernel and nothing else. */
async function withoutInit(system: string, folder: string): Promise<string> {
  const [out, root, file] = [join(folder, 'whole'), join(folder, 'kernel-only'), join(folder, 'broken.squashfs')]
  await command('unsquashfs', ['-n', '-q', '-d', out, system, 'boot', 'vmlinuz', 'initrd.img'])
  await mkdir(root)
  for (const name of ['vmlinuz', 'initrd.img']) await command('cp', ['-L', join(out, name), join(root, name)])
  await command('mksquashfs', [root, file, '-noappend', '-no-progress', '-quiet'])
  await rm(out, { recursive: true, force: true })
  return file
}
