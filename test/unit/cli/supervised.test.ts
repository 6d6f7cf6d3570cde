import t from 'tap'
import { segmentCards } from '../../../agent/cli/cards.ts'
import { supervised } from '../../../agent/cli/supervised.ts'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { silentLog } from '../../../shared/log.ts'

const deps = { clock: systemClock, random: () => 0, log: silentLog, firstMs: 2, capMs: 4 }

t.test('a room that cannot start is made anew until it runs, and says why meanwhile', async (t) => {
  const stopped: number[] = []
  const seen: string[] = []
  let made = 0
  await new Promise<void>((resolve) => {
    const room = supervised(
      'scan',
      async () => {
        const number = ++made
        return {
          name: 'scan',
          number,
          async start() {
            seen.push(room.standing().reason ?? room.standing().state)
            if (number < 3) throw new MarshlightError('DOCKER_UNREACHABLE', { socket: 's', why: 'down', option: 'o' })
          },
          async stop() {
            stopped.push(number)
          },
        }
      },
      {
        ...deps,
        onStarted: async (part) => {
          t.equal(part.number, 3)
          t.equal(room.current(), part)
          t.strictSame(room.standing(), { state: 'running', attempts: 3 })
          await room.stop()
          t.equal(room.current(), undefined)
          resolve()
        },
      },
    )
    room.start(new AbortController().signal)
  })
  t.strictSame(stopped, [1, 2, 3])
  t.match(seen, ['starting', /does not answer/, /does not answer/])
})

t.test('a room that never starts can be stopped', async (t) => {
  const room = supervised(
    'x',
    async () => {
      throw new Error('never')
    },
    { ...deps, firstMs: 60_000, capMs: 60_000 },
  )
  await room.start(new AbortController().signal)
  await new Promise((resolve) => setImmediate(resolve))
  t.match(room.standing(), { state: 'waiting', reason: 'never' })
  await room.stop()
  t.match(room.standing(), { state: 'stopped' })
})

t.test('cards of segments are real ones with an IPv4 address, or those that were named', async (t) => {
  const address = (ip: string) => [
    {
      address: ip,
      netmask: '255.255.255.0',
      family: 'IPv4' as const,
      mac: '02:00:00:00:00:01',
      internal: false,
      cidr: null,
    },
  ]
  const interfaces = { lo: address('127.0.0.1'), eth0: address('198.18.1.5'), docker0: address('172.17.0.1'), wan: [] }
  t.match(segmentCards([], interfaces), [{ name: 'eth0', ip: '198.18.1.5', cidr: '198.18.1.0/24' }])
  t.equal(segmentCards([], interfaces).length, 1)
  t.match(segmentCards(['docker0'], interfaces), [{ name: 'docker0' }])
})
