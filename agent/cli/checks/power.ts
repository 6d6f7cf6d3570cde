import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, type Outcome, usualMs } from './check.ts'

/** Above these a processor slows itself down, or is switched off (Raspberry Pi: 80 and 85 °C). */
const [hotC, tooHotC] = [75, 82]

/** The Raspberry Pi's driver asks the board every two seconds, and forgets what was before. */
const betweenMs = 2000

export const power: Check = {
  name: 'power',
  withinMs: usualMs,
  async run({ root, clock }, signal) {
    let low: boolean | undefined
    for (let looks = 0; looks < 3; looks++) {
      if (looks > 0) await clock.sleep(betweenMs, signal)
      low = await undervoltage(join(root, '/sys/class/hwmon'))
      if (low !== false) break
    }
    const model = await read(join(root, '/proc/device-tree/model'))
    return judgePower(low, model.startsWith('Raspberry Pi'))
  },
}

/**
 * `low`: undefined where this machine does not watch its supply. A Raspberry Pi suffers from weak ones more than others
 * do, and Debian's kernel, which our images have, does not hear its board's alarm.
 */
export function judgePower(low: boolean | undefined, isPi: boolean): Outcome {
  if (low === undefined)
    return {
      ok: true,
      detail: 'this machine does not watch its own supply',
      ...(isPi && { next: 'See that its power supply is the one made for this box.' }),
    }
  if (!low) return { ok: true, detail: 'the supply is strong enough' }
  return {
    ok: false,
    detail: 'the supply is too weak: its voltage fell too low just now',
    next: 'Use the power supply made for this box, with its own cable; unplug USB devices.',
  }
}

export const temperature: Check = {
  name: 'temperature',
  withinMs: usualMs,
  async run({ root }) {
    return judgeTemperature(await hottest(join(root, '/sys/class')))
  },
}

export function judgeTemperature(celsius: number | undefined): Outcome {
  if (celsius === undefined) return { ok: true, detail: 'this machine tells none' }
  const detail = `${Math.round(celsius)} °C`
  if (celsius < hotC) return { ok: true, detail }
  const next = 'Move it away from heat, and give it air: nothing on top of it, its slots free.'
  return celsius < tooHotC
    ? { ok: true, detail: `${detail}: warm`, next }
    : { ok: false, detail: `${detail}: too hot, so that it works slowly or stops`, next }
}

async function undervoltage(folder: string): Promise<boolean | undefined> {
  for (const name of await readdir(folder).catch(() => []))
    if ((await read(join(folder, name, 'name'))) === 'rpi_volt')
      return (await read(join(folder, name, 'in0_lcrit_alarm'))) === '1'
  return undefined
}

async function hottest(folder: string): Promise<number | undefined> {
  const zones = await matching(join(folder, 'thermal'), /^thermal_zone\d+$/, /^temp$/)
  const sensors = await matching(join(folder, 'hwmon'), /^hwmon\d+$/, /^temp\d+_input$/)
  const values = await Promise.all([...zones, ...sensors].map(async (file) => Number((await read(file)) || Number.NaN)))
  // Millidegrees; a sensor that is not there reads as something no machine is.
  const good = values.map((value) => value / 1000).filter((value) => value > -40 && value < 130)
  return good.length > 0 ? Math.max(...good) : undefined
}

async function matching(folder: string, part: RegExp, file: RegExp): Promise<string[]> {
  const found: string[] = []
  for (const name of (await readdir(folder).catch(() => [])).filter((one) => part.test(one)))
    for (const leaf of await readdir(join(folder, name)).catch(() => []))
      if (file.test(leaf)) found.push(join(folder, name, leaf))
  return found
}

const read = (file: string): Promise<string> =>
  readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
