import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ledPatterns } from './led-patterns.ts'
import type { State } from './state.ts'

/** The green light of a Raspberry Pi, by the name of newer and of older kernels. */
const names = ['ACT', 'led0']

/**
 * The box's light as Linux shows it (Documentation/leds/leds-class.rst): its pattern, and at the end what it did before.
 * Where there is none, nothing happens. `folder`: /sys/class/leds.
 */
export function makeLeds(folder: string) {
  let led: string | undefined
  let before: { trigger: string; brightness: string } | undefined
  const read = async (file: string) => (await readFile(join(led ?? '', file), 'utf8')).trim()
  const write = (file: string, text: string) => writeFile(join(led ?? '', file), text)

  return {
    async start(): Promise<void> {
      for (const name of names) {
        const found = await access(join(folder, name, 'trigger')).then(
          () => true,
          () => false,
        )
        if (!found) continue
        led = join(folder, name)
        const trigger = /\[(\S+)\]/.exec(await read('trigger'))?.[1] ?? 'none'
        before = { trigger, brightness: await read('brightness').catch(() => '0') }
        return
      }
    },
    async show(state: State): Promise<void> {
      if (led === undefined) return
      const pattern = ledPatterns[state]
      if (pattern === 'on') {
        await write('trigger', 'none')
        // The kernel takes less where a light knows less.
        await write('brightness', '255')
        return
      }
      // The delays are files of the timer: they are there only after it was chosen.
      await write('trigger', 'timer')
      await write('delay_on', String(pattern.on))
      await write('delay_off', String(pattern.off))
    },
    async stop(): Promise<void> {
      if (!led || !before) return
      await write('trigger', before.trigger)
      if (before.trigger === 'none') await write('brightness', before.brightness)
      before = undefined
    },
  }
}
