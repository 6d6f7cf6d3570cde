import { thisBox } from '../../agent/cli/box.ts'
import { segmentCards } from '../../agent/cli/cards.ts'
import { makeConsole } from '../../agent/console/index.ts'
import { readInterfaces } from '../../agent/scan/interfaces.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'

/** The console of a box in a namespace; the parent makes time pass. Tells what the agent takes for its segments, too. */
const { screen } = JSON.parse(process.argv[2] ?? '{}') as { screen: string }
let minutes = 0
let link: { connected: boolean; lastError?: string } = { connected: false, lastError: 'not tried yet' }
const box = thisBox(['seg0'])
const part = makeConsole({
  ...box,
  settings: { screen, leds: false, page: { minutes: 30, port: 80 } },
  clock: { now: () => systemClock.now() + minutes * 60_000, sleep: (_, signal) => systemClock.sleep(50, signal) },
  log: silentLog.child({}),
  version: '0.1.0',
  uptimeMs: () => minutes * 60_000,
  know: () => ({ enrolled: true, name: 'gate-1', site: 'hq', link }),
})
process.on('message', async (message: { minutes?: number; connected?: boolean; segments?: true; stop?: true }) => {
  if (message.minutes !== undefined) minutes = message.minutes
  if (message.connected !== undefined) link = { connected: message.connected }
  if (message.segments) {
    const seen = await readInterfaces((name) => name === 'seg0')
    process.send?.({ segments: seen.map(({ address, cidr }) => `${address} ${cidr}`) })
  }
  if (message.stop) {
    await part.stop()
    process.exit()
  }
})
await part.start(new AbortController().signal)
setInterval(() => {
  const cards = segmentCards(['seg0']).map(({ ip, cidr }) => `${ip} ${cidr}`)
  process.send?.({ cards })
}, 50)
