import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from '../../../shared/random.ts'
import { notice, notices, numberOf, openSpool, readAll, tempFolder } from './records.ts'

const all = { bytes: 1e9, records: 1e9 }

t.test('records come back in order, with their numbers, after opening again', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder)
  await Promise.all([
    spool.append('state', notices(3)),
    spool.append('state', notices(2, 3)),
    spool.append('state', []),
  ])
  const reading = await spool.read('state', 0, all)
  t.strictSame(reading.lines.map(numberOf), [0, 1, 2, 3, 4])
  await spool.stop()

  const again = await openSpool(folder)
  t.strictSame(await again.read('state', 0, all), reading)
  t.strictSame(again.standing('state'), { epoch: reading.epoch, acknowledged: 0, next: 5 })
  await again.append('state', [notice('5')])
  t.strictSame((await again.read('state', 4, all)).lines.map(numberOf), [4, 5])
  await again.stop()
})

t.test('a read keeps to its limits but gives one record at least', async (t) => {
  const spool = await openSpool(await tempFolder(t))
  await spool.append('state', notices(100, 0, 200))
  t.equal((await spool.read('state', 0, { bytes: 10, records: 50 })).lines.length, 1)
  t.equal((await spool.read('state', 0, { bytes: 1e6, records: 7 })).lines.length, 7)
  const part = await spool.read('state', 7, { bytes: 3000, records: 1000 })
  t.ok(part.lines.length > 5 && part.lines.length < 15)
  t.equal(numberOf(part.lines[0] as string), 7)
  t.equal((await spool.read('state', 100, all)).lines.length, 0)
  await spool.stop()
})

t.test('what is acknowledged goes, numbers and positions go on', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder, { segmentBytes: 10_000 })
  for (let i = 0; i < 20; i++)
    await spool.append('events', notices(10, i * 10, 100) as never, { 'decoy-1': { file: 'a', offset: i } })
  const { epoch } = spool.standing('events')
  const before = spool.bytes()
  await spool.acknowledge('events', epoch, 200)
  t.ok(spool.bytes() < before / 5, 'whole segments were deleted')
  await spool.acknowledge('events', 'another epoch', 300)
  await spool.acknowledge('events', epoch, 300)
  t.equal(spool.standing('events').acknowledged, 200, 'an acknowledgement of what was never there is ignored')
  await spool.stop()
  const again = await openSpool(folder)
  t.equal(again.standing('events').next, 200)
  t.strictSame(again.positionOf('decoy-1'), { file: 'a', offset: 19 })
  await again.forget('decoy-1')
  await again.stop()
  const third = await openSpool(folder)
  t.equal(third.positionOf('decoy-1'), undefined)
  await third.stop()
})

t.test('a new epoch begins only when everything is gone', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder)
  const { epoch } = spool.standing('state')
  await spool.append('state', notices(3), { s: { file: 'f', offset: 3 } })
  await spool.stop()
  await rm(join(folder, 'state', 'cursor.json'))
  const again = await openSpool(folder)
  t.equal(again.standing('state').epoch, epoch)
  t.strictSame(again.positionOf('s'), { file: 'f', offset: 3 })
  await again.stop()
  await rm(join(folder, 'state'), { recursive: true })
  const third = await openSpool(folder)
  t.not(third.standing('state').epoch, epoch)
  t.equal(third.standing('state').next, 0)
  await third.stop()
})

t.test('at the limit the least valuable stream goes first, oldest first, and says what went', async (t) => {
  const folder = await tempFolder(t)
  const options = { limitBytes: 400_000, segmentBytes: 20_000 }
  const spool = await openSpool(folder, options)
  await spool.append('state', notices(50, 0, 200))
  for (let i = 0; i < 20; i++) await spool.append('health', notices(40, i * 40, 200) as never)
  for (let i = 0; i < 20; i++) await spool.append('events', notices(40, i * 40, 200) as never)
  t.ok(spool.bytes() <= 400_000)
  const events = await readAll(spool, 'events')
  const health = await readAll(spool, 'health')
  t.strictSame(events.lost, [])
  t.equal(events.lines.size, 800)
  t.ok(health.lost[0] && health.lost[0].from === 0 && health.lost[0].reason === 'limit')
  t.equal(health.lines.size + (health.lost[0]?.to ?? 0) + 1, 800, 'every number is a record or a loss')

  for (let i = 0; i < 40; i++) await spool.append('events', notices(40, 800 + i * 40, 200) as never)
  await spool.append('health', notices(1) as never)
  const later = await readAll(spool, 'events')
  t.equal((await readAll(spool, 'state')).lines.size, 50, 'what is worth more stays')
  t.equal(later.lines.size + later.lost.reduce((sum, l) => sum + l.to - l.from + 1, 0), 2400)
  t.same(
    [...later.lines].map(([n, line]) => [n, numberOf(line)]).filter(([n, i]) => n !== i),
    [],
  )
  await spool.stop()
  const again = await openSpool(folder, options)
  t.strictSame(await readAll(again, 'events'), later, 'losses are durable')
  const { epoch, next } = again.standing('events')
  await again.acknowledge('events', epoch, next)
  t.strictSame((await readAll(again, 'events')).lost, [])
  await again.stop()
})

t.test('random appends, reads, acknowledgements and reopenings keep every record once', async (t) => {
  const random = seededRandom('spool')
  const folder = await tempFolder(t)
  const options = { segmentBytes: 5_000 }
  let spool = await openSpool(folder, options)
  let appended = 0
  for (let step = 0; step < 400; step++) {
    const dice = random()
    if (dice < 0.6) {
      const many = 1 + Math.floor(random() * 30)
      const size = Math.floor(random() * 60) * 2
      const some = [
        spool.append('state', notices(many, appended, size)),
        spool.append('state', notices(2, appended + many)),
      ]
      appended += many + 2
      await Promise.all(some)
    } else if (dice < 0.8) {
      const { epoch, acknowledged, next } = spool.standing('state')
      await spool.acknowledge('state', epoch, acknowledged + Math.floor(random() * (next - acknowledged + 1)))
    } else if (dice < 0.9) {
      const { lines, acknowledged, next } = await readAll(spool, 'state', {
        bytes: 1 + Math.floor(random() * 9000),
        records: 1 + Math.floor(random() * 50),
      })
      t.equal(next, appended)
      t.equal(lines.size, next - acknowledged)
      t.ok([...lines].every(([number, line]) => numberOf(line) === number))
    } else {
      await spool.stop()
      spool = await openSpool(folder, options)
    }
  }
  await spool.stop()
})

t.test('the folder holds nothing but streams, cursors and segments', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder)
  await spool.append('state', notices(1))
  await spool.stop()
  t.strictSame((await readdir(join(folder, 'state'))).sort(), ['0000000000000000-0000.seg', 'cursor.json'])
})
