import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packagesAge } from '../../../provisioning/image/commands/build.ts'
import { debianRoot } from '../../../provisioning/image/rootfs.ts'

const day = 86_400_000

t.test('Debian is fetched once, anew where it is older than asked for, and older ones go', async (t) => {
  const folder = t.testdir({ bin: {} })
  const cache = join(folder, 'cache')
  // The fetching itself takes root and minutes: only that it is asked for is seen.
  const fetching = '#!/bin/sh\nfor a; do case $a in *.unfinished.tar) echo new > "$a" ;; esac; done\n'
  writeFileSync(join(folder, 'bin/mmdebstrap'), fetching, { mode: 0o755 })
  const path = process.env.PATH
  process.env.PATH = `${join(folder, 'bin')}:${path}`
  t.teardown(() => {
    process.env.PATH = path
  })
  mkdirSync(cache)
  for (const name of ['debian-amd64-0123456789abcdef.tar', 'debian-arm64-0123456789abcdef.tar'])
    writeFileSync(join(cache, name), 'old')
  const root = (olderThanDays?: number) =>
    debianRoot({
      ...{ architecture: 'amd64', cache, progress: (_what, work) => work() },
      ...(olderThanDays !== undefined && { olderThanDays }),
    })
  const { file } = await root()
  const held = () => readFileSync(file, 'utf8')
  t.equal(held(), 'new\n')
  t.same(readdirSync(cache).length, 2, 'the older one of this processor is gone')

  const aged = new Date(Math.floor(Date.now() / day) * day - 20 * day)
  const age = () => {
    writeFileSync(file, 'kept')
    utimesSync(file, aged, aged)
  }
  age()
  t.same(await root(), { file, fetchedAt: aged })
  t.same((await root(30)).fetchedAt, aged)
  t.equal(held(), 'kept')
  for (const days of [14, 0]) {
    age()
    t.ok((await root(days)).fetchedAt > aged)
    t.equal(held(), 'new\n', `not older than ${days} days`)
  }
})

t.test('how old they are is told, and when that is too old', async (t) => {
  const now = Date.UTC(2026, 0, 15)
  t.same(packagesAge(new Date(now - 1.5 * day), now), ['  Debian packages of 2026-01-13, 1 day old'])
  t.match(packagesAge(new Date(now - 14 * day), now).join('\n'), /2026-01-01, 14 days old: WITHOUT .*--fresh/s)
})
