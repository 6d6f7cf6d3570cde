import { createHash, randomBytes } from 'node:crypto'
import { access, appendFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { eventLine, makePlace, recordsOf, runSessions, until } from './places.ts'

t.test('a line is in the spool soon after it was written, with whose it is', async (t) => {
  const place = await makePlace(t)
  const spool = await place.openSpool()
  t.teardown(() => spool.stop())
  await writeFile(place.eventPath(1), `${eventLine(0)}\n`)
  await runSessions(t, place, spool)
  await until(spool, 'events', (events) => events.length === 1)
  const delays: number[] = []
  for (let n = 1; n <= 20; n++) {
    const writtenAt = performance.now()
    await appendFile(place.eventPath(1), `${eventLine(n)}\n`)
    await until(spool, 'events', (events) => events.length === n + 1)
    delays.push(performance.now() - writtenAt)
  }
  const median = delays.sort((a, b) => a - b)[10] ?? 0
  t.ok(median < 100, `median ${median.toFixed(1)} ms`)
  const { id, persona, personaVersion, revision } = place.source
  t.match((await recordsOf(spool, 'events')).at(-1), {
    decoy: id,
    persona,
    personaVersion,
    revision,
    command: 'echo 20',
  })
})

t.test('files are read in order, finished ones removed, and what is no event is told', async (t) => {
  const place = await makePlace(t)
  const spool = await place.openSpool()
  t.teardown(() => spool.stop())
  await writeFile(place.eventPath(9), `${eventLine(1)}\nnot json\n${eventLine(2)}\n{"torn":`)
  await writeFile(
    place.eventPath(10),
    `${eventLine(3)}\n${'x'.repeat(5000)}\n${eventLine(4)}\n${eventLine(5).slice(0, 40)}`,
  )
  await runSessions(t, place, spool, { caps: { lineBytes: 1024 } })
  const events = await until(spool, 'events', (found) => found.length === 4)
  t.same(
    events.map(({ command }) => command),
    ['echo 1', 'echo 2', 'echo 3', 'echo 4'],
  )
  await appendFile(place.eventPath(10), `${eventLine(5).slice(40)}\n`)
  await until(spool, 'events', (found) => found.length === 5)
  t.same(await readdir(join(place.outDir, 'events')), ['events-10.jsonl'])
  const notices = await recordsOf(spool, 'state')
  t.equal(notices.length, 3, 'the bad, the torn and the overlong line')
  t.match(notices, [{ code: 'EVENTS_UNREADABLE', data: { count: 1 } }])
})

t.test('a removed decoy is read to its end, forgotten, then released', async (t) => {
  const place = await makePlace(t)
  const spool = await place.openSpool()
  t.teardown(() => spool.stop())
  await writeFile(place.eventPath(1), `${eventLine(1)}\n{"torn`)
  const released = new Promise<string>((resolve) => {
    const release = async (decoy: string) => resolve(decoy)
    void runSessions(t, place, spool, { decoys: () => [{ ...place.source, gone: true }], release })
  })
  t.equal(await released, place.source.id)
  t.equal((await recordsOf(spool, 'events')).length, 1)
  t.same(await readdir(join(place.outDir, 'events')), [])
  t.equal(spool.positionOf(place.source.id), undefined)
})

t.test('captured files go up in parts, cut to the cap, each hash once, and are removed here', async (t) => {
  const place = await makePlace(t)
  const spool = await place.openSpool()
  t.teardown(() => spool.stop())
  const put = async (folder: string, content: Buffer, name = createHash('sha256').update(content).digest('hex')) => {
    await writeFile(join(place.outDir, folder, `.${name}`), content)
    await rename(join(place.outDir, folder, `.${name}`), join(place.outDir, folder, name))
    return name
  }
  const big = randomBytes(150_000)
  const name = await put('files', big)
  const forged = await put('files', Buffer.from('harmless'), 'a'.repeat(64))
  await symlink('/etc/hostname', join(place.outDir, 'files', 'b'.repeat(64)))
  const named = eventLine(1, { eventid: 'cowrie.session.file_download', shasum: name, url: 'http://198.18.1.9/x' })
  await writeFile(place.eventPath(1), `${named}\n`)
  let gone = false
  const released = new Promise<void>((resolve) => {
    const decoys = () => [{ ...place.source, gone }]
    void runSessions(t, place, spool, { caps: { blobBytes: 100_000 }, decoys, release: async () => resolve() })
  })
  const [notice] = await until(spool, 'state', (found) => found.length === 1)
  t.match(notice, { code: 'CAPTURE_FORGED', message: RegExp(forged) })
  const parts = await until(spool, 'files', (found) => found.length === 3)
  t.match(parts[0], { kind: 'capture', size: 100_000, originalSize: 150_000, parts: 3, session: 'abcdef012345' })
  const whole = Buffer.concat(parts.map(({ data }) => Buffer.from(data, 'base64')))
  t.ok(whole.equals(big.subarray(0, 100_000)))

  const log = Buffer.from('a tty log')
  await put('files', big)
  const tty = await put('tty', log)
  await appendFile(place.eventPath(1), `${eventLine(2, { eventid: 'cowrie.log.closed', shasum: tty, size: 9 })}\n`)
  const all = await until(spool, 'files', (found) => found.some(({ kind }) => kind === 'tty'))
  gone = true
  await released
  t.equal(all.length, 4, 'the same file is not sent again')
  for (const folder of ['files', 'tty']) t.same(await readdir(join(place.outDir, folder)), [])
})

t.test('folders that a taken-over service swapped for links are not followed', async (t) => {
  const place = await makePlace(t)
  const spool = await place.openSpool()
  t.teardown(() => spool.stop())
  const elsewhere = join(place.stateDir, 'elsewhere')
  await mkdir(elsewhere)
  await writeFile(join(elsewhere, 'events-1.jsonl'), `${eventLine(1)}\n`)
  await rm(join(place.outDir, 'events'), { recursive: true })
  await symlink(elsewhere, join(place.outDir, 'events'))
  const released = new Promise<void>((resolve) => {
    const release = async () => resolve()
    void runSessions(t, place, spool, { decoys: () => [{ ...place.source, gone: true }], release })
  })
  await released
  t.same(await recordsOf(spool, 'events'), [])
  await access(join(elsewhere, 'events-1.jsonl'))
})
