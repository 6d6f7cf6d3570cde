import { execFileSync } from 'node:child_process'
import { readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { notices, numberOf, openSpool, readAll, tempFolder } from '../unit/spool/records.ts'

async function tinyDisk(t: Parameters<typeof tempFolder>[0], kilobytes: number): Promise<string> {
  const folder = await tempFolder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder])
  // Registered after the folder's own removal, so it runs first.
  t.teardown(async () => {
    execFileSync('umount', ['-l', folder])
  })
  return folder
}

t.test('a full disk drops the least valuable first, counts what went, and takes records again', async (t) => {
  const folder = await tinyDisk(t, 1024)
  const options = { segmentBytes: 65_536 }
  const spool = await openSpool(folder, options)
  for (let i = 0; i < 10; i++) await spool.append('health', notices(50, i * 50, 300) as never)
  for (let i = 0; i < 80; i++)
    await spool.append('events', notices(50, i * 50, 300) as never, { d: { file: 'f', offset: i } })
  await spool.append('state', notices(10, 0, 300))

  const [health, events, state] = [
    await readAll(spool, 'health'),
    await readAll(spool, 'events'),
    await readAll(spool, 'state'),
  ]
  const lost = (all: typeof health) => all.lost.reduce((sum, loss) => sum + loss.to - loss.from + 1, 0)
  t.equal(lost(health), 500, 'health went first, all of it')
  t.equal(events.lines.size + lost(events), 4000, 'every event is there or named as lost')
  t.ok(events.lines.size > 1000 && lost(events) > 1000)
  t.ok([...events.lines].every(([number, line]) => number === numberOf(line)))
  t.ok(events.lines.has(3999), 'the newest stayed')
  t.equal(state.lines.size, 10)
  t.ok(events.lost.every((loss) => loss.reason === 'disk-full'))
  await spool.stop()

  const again = await openSpool(folder, options)
  t.strictSame(await readAll(again, 'events'), events, 'losses are durable')
  t.strictSame(await readAll(again, 'health'), health)
  t.strictSame(again.positionOf('d'), { file: 'f', offset: 79 })
  const { epoch, next } = again.standing('events')
  await again.acknowledge('events', epoch, next)
  await again.append('health', notices(5, 500) as never)
  t.equal((await readAll(again, 'health')).lines.size, 5)
  await again.stop()
})

t.test('a disk that others filled to the last byte: records are counted as lost, nothing crashes', async (t) => {
  const folder = await tinyDisk(t, 512)
  const spool = await openSpool(join(folder, 'spool'))
  await spool.append('events', notices(20, 0, 100) as never)
  const filler = join(folder, 'filler')
  const { bavail, bsize } = await statfs(folder)
  await writeFile(filler, Buffer.alloc(bavail * bsize, 1))
  for (let i = 0; i < 40; i++) {
    await spool.append('events', notices(200, 20 + i * 200, 100) as never)
    // Whatever the spool gave back is taken by the other at once.
    const left = await statfs(folder)
    if (left.bavail > 0) await writeFile(`${filler}${i}`, Buffer.alloc(left.bavail * left.bsize, 1)).catch(() => {})
  }
  const during = await readAll(spool, 'events')
  t.ok(during.next < 8020, 'what no disk knows of is not told yet')
  for (const name of await readdir(folder)) if (name.startsWith('filler')) await rm(join(folder, name))
  await spool.append('events', notices(3, 8020) as never)
  const after = await readAll(spool, 'events')
  const lost = after.lost.reduce((sum, loss) => sum + loss.to - loss.from + 1, 0)
  t.equal(after.next, 8023)
  t.equal(after.lines.size + lost, 8023)
  t.ok(lost > 1000)
  await spool.stop()
  const again = await openSpool(join(folder, 'spool'))
  t.strictSame(await readAll(again, 'events'), after)
  await again.stop()
})

t.test(
  'a disk gone read-only: what is there is read, what comes is counted as lost until it can be written',
  async (t) => {
    const folder = await tinyDisk(t, 1024)
    const spool = await openSpool(folder)
    await spool.append('state', notices(10))
    await spool.stop()
    execFileSync('mount', ['-o', 'remount,ro', folder])
    const again = await openSpool(folder)
    await again.append('state', notices(5, 10))
    const during = await readAll(again, 'state')
    t.equal(during.lines.size, 10)
    t.equal(during.next, 10, 'a number that a restart would give again is not shown')
    const { epoch } = again.standing('state')
    await again.acknowledge('state', epoch, 4)
    execFileSync('mount', ['-o', 'remount,rw', folder])
    await again.append('state', notices(1, 15))
    await again.stop()
    const third = await openSpool(folder)
    const after = await readAll(third, 'state')
    t.strictSame([...after.lines.values()].map(numberOf).slice(-1), [15])
    t.strictSame(after.lost, [{ from: 10, to: 14, reason: 'disk-full' }])
    await third.stop()
  },
)

t.test('a state folder that cannot be made says why', async (t) => {
  const folder = await tinyDisk(t, 64)
  execFileSync('mount', ['-o', 'remount,ro', folder])
  await t.rejects(openSpool(join(folder, 'spool')), { code: 'DISK_READ_ONLY' })
})
