import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type Current, type Held, nothingHeld } from '../../../agent/updates/held.ts'
import { openUpdates } from '../../../agent/updates/opened.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { tempFolder } from '../spool/records.ts'
import { arch } from './box.ts'

const rollout = newId()
const current: Current = {
  ...{ rollout, version: '2.0.0', sequence: 2, source: 'plan', phase: 'trial', confirmWithinSeconds: 60, attempts: 1 },
  images: { pod: 'marshlight/pod:2.0.0' },
  parts: [
    {
      ...{ component: 'decoys', arch, version: '2.0.0', file: 'd.tar', bytes: 1, sha256: 'a'.repeat(64) },
      ...{ stage: 'installed', again: false },
    },
  ],
}
const decoys = { version: '1.0.0', images: { pod: 'marshlight/pod:1.0.0', web: 'marshlight/web:1.0.0' } }

async function open(
  t: Parameters<typeof tempFolder>[0],
  o: { held?: Held | string; trial?: string; files?: Record<string, string> },
) {
  const stateDir = await tempFolder(t)
  for (const name of ['updates', 'versions']) await mkdir(join(stateDir, name))
  if (o.held !== undefined)
    await writeFile(join(stateDir, 'updates/held.json'), typeof o.held === 'string' ? o.held : JSON.stringify(o.held))
  for (const [name, text] of Object.entries(o.files ?? {})) await writeFile(join(stateDir, 'versions', name), text)
  const processEnv = {
    MARSHLIGHT_LAUNCHER: '1',
    MARSHLIGHT_RUNS: 'package',
    MARSHLIGHT_BASE: '1',
    MARSHLIGHT_TRIAL: o.trial ?? '',
  }
  const opened = await openUpdates({
    ...{ stateDir, clock: systemClock, log: silentLog, version: '1.0.0' },
    keepsDecoys: true,
    processEnv,
  })
  return { stateDir, opened, found: { images: opened.images, decoys: opened.running().decoys } }
}

t.test('decoys are made of the images on trial only in the trial, and once it is confirmed', async (t) => {
  const held: Held = { ...nothingHeld, decoys, current }
  const before = { images: decoys.images, decoys: '1.0.0' }
  const after = { images: { ...decoys.images, pod: 'marshlight/pod:2.0.0' }, decoys: '2.0.0' }
  t.strictSame((await open(t, {})).found, { images: {}, decoys: 'shipped' })
  t.strictSame(
    (await open(t, { held: { ...held, current: { ...current, phase: 'installing' } }, trial: rollout })).found,
    before,
  )
  t.strictSame((await open(t, { held, trial: rollout })).found, after)
  t.strictSame(
    (await open(t, { held, files: { failed: `${rollout} late\n` } })).found,
    before,
    'the launcher gave it up',
  )
  t.strictSame(
    (await open(t, { held, files: { confirmed: `package 1 ${rollout}\n` } })).found,
    after,
    'power went after it was confirmed',
  )
})

t.test('a damaged book is set aside and told, and the box starts', async (t) => {
  for (const held of ['', '{', '{"v":1,"highest":-1,"settled":[]}']) {
    const { opened, stateDir } = await open(t, { held })
    t.match(opened.notices, [{ code: 'STATE_CORRUPT', level: 'error' }])
    t.strictSame(opened.held(), nothingHeld)
    t.match(await readdir(join(stateDir, 'updates')), [/^held\.json\.corrupt-\d+$/])
  }
})
