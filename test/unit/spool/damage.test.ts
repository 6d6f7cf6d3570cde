import { appendFile, cp, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { encodeFrame, scanFrames } from '../../../agent/spool/frame.ts'
import { laidOut } from '../../../agent/spool/laid-out.ts'
import { seededRandom } from '../../../shared/random.ts'
import { notices, numberOf, openSpool, readAll, tempFolder } from './records.ts'

const segments = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith('.seg')).map((name) => join(folder, name))

t.test('a frame cut short is told from a damaged one', async (t) => {
  const whole = [encodeFrame({ first: 0, count: 2 }, ['"a"', '"b"']), encodeFrame({ first: 2, count: 1 }, ['"c"'])]
  const bytes = Buffer.concat(whole)
  const cut = scanFrames(bytes.subarray(0, bytes.length - 1))
  t.equal(cut.frames.length, 1)
  t.equal(cut.tail, whole[0]?.length)
  t.strictSame(cut.damage, [])
  const bent = Buffer.from(bytes)
  bent[bent.length - 2] = 0
  t.match(scanFrames(bent), { frames: { length: 1 }, damage: [{ records: 1 }], tail: bytes.length })
  const longer = Buffer.from(bytes)
  longer.writeUInt32LE(99_999, whole[0]?.length)
  t.match(
    scanFrames(longer),
    { frames: { length: 1 }, damage: [{ records: 1 }] },
    'a wrong length is damage, not a torn tail',
  )
})

t.test('an unfinished frame at the end is cut and its numbers are given again', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder)
  await spool.append('state', notices(10))
  await spool.stop()
  const [path = ''] = await segments(join(folder, 'state'))
  await appendFile(path, encodeFrame({ first: 10, count: 1 }, ['"never resolved"']).subarray(0, 20))
  const again = await openSpool(folder)
  await again.append('state', notices(2, 10))
  const { lines, lost } = await readAll(again, 'state')
  t.strictSame(
    [...lines.values()].map(numberOf),
    Array.from({ length: 12 }, (_, i) => i),
  )
  t.strictSame(lost, [])
  await again.stop()
})

t.test('small appends go into space that is laid out; power that goes within one costs that one alone', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder)
  await spool.append('state', notices(1))
  const [path = ''] = await segments(join(folder, 'state'))
  const { size } = await stat(path)
  for (let i = 1; i < 9; i++) await spool.append('state', notices(1, i))
  const before = await readFile(path)
  await spool.append('state', notices(4, 9))
  const after = await readFile(path)
  t.equal(after.length, size, 'the file does not grow: its journal is left alone')
  const from = scanFrames(before).tail
  const to = scanFrames(after).tail
  t.strictSame([scanFrames(before).damage, scanFrames(after).damage], [[], []])
  const sectors = Math.ceil(to / 512) - Math.floor(from / 512)
  t.ok(sectors > 1, 'more than one sector')
  for (let there = 0; there < 2 ** sectors - 1; there++) {
    const torn = Buffer.from(before)
    for (let i = 0; i < sectors; i++) {
      const at = (Math.floor(from / 512) + i) * 512
      if (there & (1 << i)) after.copy(torn, at, at, at + 512)
    }
    t.match(scanFrames(torn), { tail: from, damage: [] }, `sectors ${there.toString(2)} of ${sectors}`)
  }
  // As power leaves it: nothing was closed.
  const left = join(folder, 'left')
  await cp(join(folder, 'state'), join(left, 'state'), { recursive: true })
  const again = await openSpool(left)
  await again.append('state', notices(2, 13))
  const { lines, lost } = await readAll(again, 'state')
  t.strictSame([lines.size, lost], [15, []])
  await again.stop()
  await spool.stop()
  t.equal((await stat(path)).size, to, 'what was laid out goes with the end')
})

t.test('power that goes while several frames are written costs those alone, whichever pages are there', async (t) => {
  const random = seededRandom('pages')
  const step = 16_384
  const whole = (first: number, size: number, back = 0) =>
    encodeFrame({ first, count: 1, ...(back > 0 && { back }) }, [JSON.stringify('x'.repeat(size))])
  for (let offset = step - 560; offset < step + 560; offset++) {
    // A row of small frames up to `offset`, laid out as each of them left it.
    let before = Buffer.alloc(0)
    let [at, first, laid] = [0, 0, 0]
    const put = (bytes: Buffer) => {
      before = Buffer.concat([before, Buffer.alloc(Math.max(0, at + bytes.length - before.length))])
      bytes.copy(before, at)
    }
    while (at < offset) {
      const room = offset - at - whole(first, 0).length
      const frame = whole(first, room > 2_000 ? 1_500 : room)
      const { bytes, end } = laidOut(frame, at, laid)
      put(bytes)
      ;[at, first, laid] = [at + frame.length, first + 1, end]
    }
    // Small ones, and such as the file grows for past what is laid out.
    const most = random() < 0.5 ? 900 : 9_000
    let group = Buffer.alloc(0)
    for (let i = 0; i < 4; i++)
      group = Buffer.concat([group, whole(first + i, Math.floor(random() * most), group.length)])
    const old = before
    put(laidOut(group, at, laid).bytes)
    const unit = random() < 0.5 ? 4_096 : 512
    const torn = Buffer.concat([old, Buffer.alloc(before.length - old.length)])
    for (let page = 0; page < before.length; page += unit)
      if (random() < 0.5) before.copy(torn, page, page, page + unit)
    const { frames, damage } = scanFrames(torn)
    const told = `at ${offset}, by ${unit}`
    if (damage.length > 0) t.strictSame(damage, [], told)
    if (frames.length < first) t.fail(`resolved frames are lost ${told}`)
    if (frames.some(({ head }, i) => head.first !== i)) t.fail(`no prefix ${told}`)
    if (scanFrames(before).frames.length !== first + 4) t.fail(`not whole ${told}`)
  }
})

t.test(
  'a sector that a disk loses behind writes that resolved is told, and what lies behind it is there',
  async (t) => {
    const random = seededRandom('sectors')
    for (let round = 0; round < 25; round++) {
      const folder = await tempFolder(t)
      const spool = await openSpool(folder)
      let [count, ofLast, from] = [0, 0, 0]
      const path = async () => (await segments(join(folder, 'state')))[0] as string
      for (let i = 0; i < 20; i++) {
        ofLast = count
        from = i === 0 ? 0 : scanFrames(await readFile(await path())).tail
        // Those that come while one is written are written together.
        const together = Array.from({ length: 1 + Math.floor(random() * 4) }, () => notices(1, count++, 300))
        const [first = [], ...others] = together
        const writing = spool.append('state', first)
        if (others.length > 0) {
          await writing
          ofLast = count - others.length
          from = scanFrames(await readFile(await path())).tail
        }
        await Promise.all([writing, ...others.map((one) => spool.append('state', one))])
      }
      const bytes = await readFile(await path())
      const end = scanFrames(bytes).tail
      const at = Math.floor((random() * end) / 512) * 512
      bytes.fill(0, at, at + 512)
      const left = join(folder, 'left')
      await cp(join(folder, 'state'), join(left, 'state'), { recursive: true })
      await writeFile(join(left, 'state', basename(await path())), bytes)
      await spool.stop()

      const again = await openSpool(left)
      const { lines, lost, next } = await readAll(again, 'state')
      const missing = lost.reduce((sum, loss) => sum + loss.to - loss.from + 1, 0)
      const told = `round ${round}: sector at ${at} of ${end}, the last write at ${from}`
      t.ok(
        [...lines].every(([number, line]) => number >= count || numberOf(line) === number),
        told,
      )
      t.equal(lines.size + missing, next, told)
      // Of the last write nobody can tell a sector that was lost from one that was never written.
      const last = at + 512 > from
      t.ok(last ? next >= ofLast : next > count && missing > 0 && missing <= 4, told)
      await again.stop()
    }
  },
)

t.test('wherever bytes are damaged, the rest is read, the loss is exact, and the damage is told', async (t) => {
  const random = seededRandom('damage')
  for (let round = 0; round < 40; round++) {
    const folder = await tempFolder(t)
    const spool = await openSpool(folder, { segmentBytes: 4_000 })
    for (let i = 0; i < 12; i++)
      await spool.append('events', notices(5, i * 5, 60) as never, { s: { file: 'f', offset: i } })
    const { epoch } = spool.standing('events')
    await spool.stop()
    const files = await segments(join(folder, 'events'))
    const path = files[Math.floor(random() * files.length)] as string
    const bytes = await readFile(path)
    const at = Math.floor(random() * bytes.length)
    bytes[at] = ((bytes[at] as number) ^ (1 + Math.floor(random() * 255))) & 255
    await writeFile(path, bytes)

    const again = await openSpool(folder)
    const { lines, lost, next } = await readAll(again, 'events')
    t.equal(again.standing('events').epoch, epoch)
    t.ok([...lines].every(([number, line]) => numberOf(line) === number))
    const missing = lost.reduce((sum, loss) => sum + loss.to - loss.from + 1, 0)
    t.equal(lines.size + missing, 60, `byte ${at} of ${path}`)
    t.equal(next, 60)
    t.ok(missing <= 5, 'at most the frame that was hit')
    t.ok(lost.every((loss) => loss.reason === 'corrupt'))
    const told = await readAll(again, 'state')
    t.equal(JSON.parse([...told.lines.values()][0] ?? '{}').code, 'STATE_CORRUPT')
    t.ok((await readdir(join(folder, 'events'))).some((name) => name.includes('.corrupt-')))
    await again.stop()
  }
})

t.test('a damaged cursor and an emptied segment do not keep it from opening', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder, { segmentBytes: 2_000 })
  for (let i = 0; i < 6; i++) await spool.append('state', notices(5, i * 5, 100), { s: { file: 'f', offset: i } })
  const { epoch } = spool.standing('state')
  await spool.acknowledge('state', epoch, 12)
  await spool.stop()
  await writeFile(join(folder, 'state', 'cursor.json'), '{"v":1,')
  const files = await segments(join(folder, 'state'))
  await truncate(files[1] as string, 0)
  const again = await openSpool(folder)
  const { lines, lost } = await readAll(again, 'state')
  t.equal(again.standing('state').epoch, epoch)
  t.strictSame(again.positionOf('s'), { file: 'f', offset: 5 })
  t.equal(lost[0]?.reason, 'corrupt')
  t.ok([...lines].filter(([number]) => number < 30).every(([number, line]) => numberOf(line) === number))
  t.match([...lines.values()].at(-1), /STATE_CORRUPT/)
  await again.stop()
})

t.test('bytes that go bad while it runs are found by the reader and told', async (t) => {
  const folder = await tempFolder(t)
  const spool = await openSpool(folder, { segmentBytes: 4_000 })
  for (let i = 0; i < 20; i++) await spool.append('events', notices(5, i * 5, 60) as never)
  const [path = ''] = await segments(join(folder, 'events'))
  const bytes = await readFile(path)
  bytes[1500] = 0
  await writeFile(path, bytes)
  const { lines, lost } = await readAll(spool, 'events')
  t.equal(lost.length, 1)
  t.equal(lines.size + (lost[0]?.to ?? 0) - (lost[0]?.from ?? 0) + 1, 100)
  await spool.append('events', notices(1, 100) as never)
  t.equal((await readAll(spool, 'events')).lines.size, lines.size + 1)
  await spool.stop()
})
