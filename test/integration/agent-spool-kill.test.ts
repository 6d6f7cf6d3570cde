import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openSpool, readAll, tempFolder } from '../unit/spool/records.ts'

const kills = Number(process.env.KILLS ?? 50)

t.test(`${kills} kills at random points: everything that resolved is read once, in order, without gaps`, async (t) => {
  const folder = await tempFolder(t)
  const [resolved, consumed] = [join(folder, 'resolved.log'), join(folder, 'consumed.log')]
  await writeFile(resolved, '')
  await writeFile(consumed, '')
  const writer = join(import.meta.dirname, 'agent-spool-writer.ts')
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [writer, join(folder, 'spool'), resolved, consumed], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the writer ended with ${code}`))),
    ])
    const exit = once(child, 'exit')
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 120)
    t.equal((await exit)[1], 'SIGKILL')
  }
  const spool = await openSpool(join(folder, 'spool'), { segmentBytes: 40_000 })
  const { lines, lost, next } = await readAll(spool, 'state')
  t.strictSame(lost, [])

  const byNumber = new Map<number, string>()
  for (const row of (await readFile(consumed, 'utf8')).split('\n').filter(Boolean)) {
    t.notOk(row.startsWith('lost'), row)
    const [number = '', ...words] = row.split(' ')
    const text = words.join(' ')
    if (byNumber.has(Number(number)) && byNumber.get(Number(number)) !== text) t.fail(`${number} is ${text} now`)
    byNumber.set(Number(number), text)
  }
  for (const [number, line] of lines) {
    const text = JSON.parse(line).message.split(' x')[0]
    if (byNumber.has(number) && byNumber.get(number) !== text) t.fail(`${number} is ${text} now`)
    byNumber.set(number, text)
  }
  t.equal(byNumber.size, next, 'numbers have no gap')

  const reached: Record<string, number> = { a: 0, b: 0, c: 0 }
  for (let number = 0; number < next; number++) {
    const [source = '', offset] = byNumber.get(number)?.split(' ') ?? []
    if (Number(offset) !== reached[source]) t.fail(`${source} goes from ${reached[source]} to ${offset} at ${number}`)
    reached[source] = Number(offset) + 1
  }
  for (const row of (await readFile(resolved, 'utf8')).split('\n').filter(Boolean)) {
    const [source = '', offset] = row.split(' ')
    if (Number(offset) > (reached[source] ?? 0))
      t.fail(`${source} resolved ${offset}, only ${reached[source]} are there`)
  }
  for (const source of ['a', 'b', 'c'])
    t.equal(spool.positionOf(source)?.offset, reached[source], 'positions are those of the records')
  t.comment(`${next} records over ${kills} kills`)
  t.ok(next > kills)
  await spool.stop()
})
