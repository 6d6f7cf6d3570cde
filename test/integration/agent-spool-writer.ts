/** A process that appends, reads and acknowledges at random until it is killed. Run by agent-spool-kill.test.ts. */
import { appendFileSync } from 'node:fs'
import { makeSpool } from '../../agent/spool/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'

const [folder = '', resolvedLog = '', consumedLog = ''] = process.argv.slice(2)
const spool = makeSpool({ folder, clock: systemClock, log: silentLog }, { segmentBytes: 40_000 })
await spool.start(new AbortController().signal)

const record = (message: string) =>
  ({ type: 'notice', at: '2026-01-01T00:00:00Z', level: 'info', code: 'TEST', message }) as const

async function produce(source: string): Promise<never> {
  let offset = spool.positionOf(source)?.offset ?? 0
  for (;;) {
    const count = 1 + Math.floor(Math.random() * 6)
    const padding = 'x'.repeat(Math.floor(Math.random() * 300))
    const records = Array.from({ length: count }, (_, i) => record(`${source} ${offset + i} ${padding}`))
    await spool.append('state', records, { [source]: { file: 'f', offset: offset + count } })
    offset += count
    appendFileSync(resolvedLog, `${source} ${offset}\n`)
  }
}

async function consume(): Promise<never> {
  for (;;) {
    const { acknowledged, epoch } = spool.standing('state')
    const reading = await spool.read('state', acknowledged, { bytes: 4000 + Math.random() * 40_000, records: 300 })
    const next = reading.first + reading.lines.length
    const told = reading.lines.map((line, i) => `${reading.first + i} ${JSON.parse(line).message.split(' x')[0]}\n`)
    appendFileSync(consumedLog, [...told, ...reading.losses.map((loss) => `lost ${loss.from} ${loss.to}\n`)].join(''))
    if (Math.random() < 0.6) await spool.acknowledge('state', epoch, next)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 12))
  }
}

process.stdout.write('open\n')
await Promise.all(['a', 'b', 'c'].map(produce).concat(consume()))
