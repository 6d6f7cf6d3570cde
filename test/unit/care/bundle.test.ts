import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeBundle, type Section } from '../../../agent/care/bundle.ts'
import { makeReboot } from '../../../agent/care/reboot.ts'
import { tarOf } from '../../../agent/care/tar.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import type { FilePart } from '../../../shared/schemas/event.ts'
import { openSpool, readAll, tempFolder } from '../spool/records.ts'

/** What tar itself makes of an archive. */
async function unpacked(t: Test, archive: Buffer): Promise<(name: string) => string> {
  const folder = await tempFolder(t)
  writeFileSync(join(folder, 'a.tar.gz'), archive)
  execFileSync('tar', ['xzf', 'a.tar.gz'], { cwd: folder })
  return (name) => readFileSync(join(folder, name), 'utf8')
}

t.test('tar reads what was packed', async (t) => {
  const files = [0, 1, 511, 512, 513, 100_000].map((size) => ({ name: `box/${size}.txt`, text: 'ä'.repeat(size) }))
  const read = await unpacked(t, await tarOf(files, 1_780_000_000))
  for (const { name, text } of files) t.equal(read(name), text)
  await t.rejects(tarOf([{ name: 'x'.repeat(100), text: '' }], 0))
})

async function world(t: Test, sections: Section[]) {
  const spool = await openSpool(await tempFolder(t))
  const folder = await tempFolder(t)
  const ending = new AbortController()
  const bundle = makeBundle({
    ...{ agent: newId(), folder, sections, spool, clock: systemClock, log: silentLog, signal: ending.signal },
    redactor: async () => (text) => text.replaceAll('SECRET', '***'),
  })
  t.teardown(async () => {
    ending.abort()
    await bundle.settled()
    await spool.stop()
  })
  return { spool, bundle }
}

t.test(
  'a bundle of a sick box: what fails is told in its place, what is large is cut, nothing known leaves',
  async (t) => {
    const { spool, bundle } = await world(t, [
      { name: 'good.json', make: async () => ({ a: 'SECRET' }) },
      { name: 'bad.json', make: async () => Promise.reject(new Error('no SECRET engine')) },
      { name: 'large.txt', make: async () => `${'y'.repeat(1_048_570)}SECRET${'z'.repeat(20)}` },
    ])
    const first = bundle.make()
    await t.rejects(bundle.make(), { code: 'CONFLICT' }, 'one at a time')
    const { parts, bytes, sha256 } = await first
    await bundle.settled()
    const { lines } = await readAll(spool, 'files')
    const records = [...lines.values()].map((line) => JSON.parse(line) as FilePart)
    t.equal(records.length, parts)
    t.match(records[0], { kind: 'support', sha256, size: bytes })
    const read = await unpacked(t, Buffer.concat(records.map(({ data }) => Buffer.from(data, 'base64'))))
    t.same(JSON.parse(read('marshlight-support/good.json')), { a: '***' })
    t.equal(read('marshlight-support/bad.json'), 'not to be had: no *** engine\n')
    t.match(read('marshlight-support/large.txt').slice(-80), /y\*{3}z{3}\n… cut at/)
    t.notMatch(read('marshlight-support/large.txt'), /SEC/)
    t.match(JSON.parse(read('marshlight-support/about.json')), { files: ['good.json', 'bad.json', 'large.txt'] })
    t.ok(await bundle.make(), 'another one after it')
  },
)

t.test('a box restarts only where it may and can, once, and says when it failed', async (t) => {
  const folder = await tempFolder(t)
  const told: { code: string; message: string }[] = []
  const failed = Promise.withResolvers<void>()
  const twoSeconds = Promise.withResolvers<void>()
  const clock = { now: Date.now, sleep: () => twoSeconds.promise }
  const deps = {
    ...{ clock, log: silentLog, signal: new AbortController().signal },
    report: async (_stream: string, records: readonly unknown[]) => {
      told.push(...(records as typeof told))
      if (told.at(-1)?.code === 'REBOOT_FAILED') failed.resolve()
    },
  }
  await t.rejects(makeReboot({ ...deps, allowed: false })(), { code: 'CONFLICT', message: /switched off/ })
  const missing = join(folder, 'missing')
  await t.rejects(makeReboot({ ...deps, allowed: true, command: [missing] })(), { message: /no program/ })
  t.same(told, [], 'nobody is told of what does not happen')
  const command = join(folder, 'fake-reboot-that-fails')
  writeFileSync(command, '#!/bin/sh\necho no right to do that >&2\nexit 1\n', { mode: 0o755 })
  const reboot = makeReboot({ ...deps, allowed: true, command: [command] })
  t.match(await reboot(), { inSeconds: 2 })
  await t.rejects(reboot(), { message: /about to/ })
  twoSeconds.resolve()
  await failed.promise
  t.match(told, [{ code: 'REBOOT' }, { code: 'REBOOT_FAILED', message: /no right to do that/ }])
})
