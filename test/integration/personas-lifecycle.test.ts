import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { decoyRoutes } from '../../controller/api/routes/decoys.ts'
import { personaRoutes } from '../../controller/api/routes/personas.ts'
import { decoysCommand } from '../../controller/cli/commands/decoys.ts'
import { personasCommand } from '../../controller/cli/commands/personas.ts'
import { composePlan, listDecoys } from '../../controller/decoys/index.ts'
import { readPersona } from '../../controller/personas/index.ts'
import type { StreamRecord } from '../../shared/schemas/envelope.ts'
import { apiWorld } from '../unit/segments/api-world.ts'
import { iso, scan } from '../unit/segments/fleet.ts'

async function setUp(t: Test, personas: object) {
  const given = { routes: [personaRoutes, decoyRoutes], commands: [personasCommand, decoysCommand] }
  const world = await apiWorld(t, { ...given, config: { personas } })
  const { store, config, ids } = world
  const plan = () => composePlan(store, ids.agent, { config, neverBlock: async () => [] })
  const only = async () => {
    const [decoy] = await listDecoys(store)
    if (!decoy) throw new Error('no decoy')
    return decoy
  }
  return { ...world, plan, only }
}

t.test('where approval is manual, nothing new is shown before an administrator let it', async (t) => {
  const { run, plan, only } = await setUp(t, { approval: 'manual' })
  await run('decoys', 'deploy', '--segment', 'office')
  const { hostname } = await only()
  t.same((await plan()).decoys, [])
  t.match(await run('personas', 'ls'), /waiting/)
  t.match(await run('personas', 'approve', hostname, '--dry-run'), /Nothing was changed/)
  t.same((await plan()).decoys, [])
  t.match(await run('personas', 'approve', hostname), /may show version 1/)
  t.match(await plan(), { decoys: [{ hostname, personaVersion: 1 }] })
  t.match(await run('decoys', 'reconfigure', hostname), /it waits for approval/)
  t.match(await plan(), { decoys: [{ personaVersion: 1 }], personas: [{ version: 1 }] })
  await run('personas', 'approve', hostname)
  t.match(await plan(), { decoys: [{ personaVersion: 2 }], personas: [{ version: 2 }] })
  await t.rejects(run('personas', 'approve', hostname), { code: 'CONFLICT' })
})

t.test('each version is built again bit for bit, and what was tampered with is found', async (t) => {
  const { run, only, store, plan } = await setUp(t, {})
  await run('decoys', 'deploy', '--segment', 'office')
  const { hostname, persona } = await only()
  await run('decoys', 'reconfigure', hostname)
  t.match(await run('personas', 'rollback', hostname, '1'), /version 1 again, as version 3/)
  t.match(await plan(), { decoys: [{ personaVersion: 3 }] })
  const [first, third] = [await readPersona(store, persona, 1), await readPersona(store, persona, 3)]
  t.same({ ...third, version: 1, reasons: [] }, { ...first, reasons: [] })
  await run('decoys', 'reconfigure', hostname)
  for (const version of ['1', '2', '3', '4'])
    t.match(await run('personas', 'rebuild', hostname, '--check', '--version-number', version), /yes, bit for bit/)
  await store.run(
    `UPDATE personas SET body = replace(body, '"hostname":"${hostname}"', '"hostname":"other"') WHERE version = 1`,
  )
  await t.rejects(run('personas', 'rebuild', persona, '--check', '--version-number', '1'), { code: 'CONFLICT' })
  await t.rejects(run('personas', 'rollback', hostname, '9'), { code: 'NOT_FOUND' })
})

t.test('versions are compared within 80 columns; a preview keeps nothing', async (t) => {
  const { run, only, store } = await setUp(t, {})
  await run('decoys', 'deploy', '--segment', 'office')
  const { hostname } = await only()
  await run('decoys', 'reconfigure', hostname)
  const shown = await run('personas', 'diff', `${hostname}@1`, `${hostname}@2`)
  t.ok(shown.split('\n').every((line) => line.length <= 80))
  t.equal(JSON.parse(await run('personas', 'diff', `${hostname}@1`, `${hostname}@2`, '--json')).items.length, 1)
  t.match(await run('personas', 'diff', hostname, hostname), /are equal/)
  const before = await store.all('SELECT id FROM personas')
  const words = await run('personas', 'preview', 'office', '--family', 'windows-server-2019')
  t.match(words, /Windows Server 2019[\s\S]*smb 445[\s\S]*Nothing was kept/)
  t.same(await store.all('SELECT id FROM personas'), before)
})

t.test('decoys work when their segment does: scans of two weeks decide hours and days', async (t) => {
  const { run, see, only, store } = await setUp(t, { timezone: 'Europe/Berlin' })
  const explained = async () => {
    await run('decoys', 'deploy', '--segment', 'office')
    const { hostname, persona } = await only()
    const words = await run('personas', 'explain', hostname)
    t.match(await run('personas', 'rebuild', hostname, '--check', '--version-number', '1'), /yes, bit for bit/)
    await run('decoys', 'retire', hostname)
    return { words, schedule: (await readPersona(store, persona))?.schedule }
  }
  t.match(await explained(), { words: /1 of 24 hours of the day were observed/, schedule: { workFrom: 8, workTo: 18 } })
  // Six servers always, eight more hosts from Tuesday to Saturday, 6 to 15 o'clock in Berlin, which is an hour ahead.
  const passes: StreamRecord<'inventory'>[] = []
  for (let hour = 14 * 24; hour > 0; hour--) {
    const at = new Date(iso(-hour * 3600))
    const [day, local] = [at.getUTCDay(), at.getUTCHours() + 1]
    const hostsUp = day >= 2 && local >= 6 && local < 15 ? 14 : 6
    passes.push({ ...scan('quick', -hour * 3600), hostsUp } as StreamRecord<'inventory'>)
  }
  await see(...passes)
  const { words, schedule } = await explained()
  t.match(schedule, { workFrom: 6, workTo: 15, workDays: [2, 3, 4, 5, 6] })
  t.match(words, /busy from 6 to 15 o'clock/)
  t.match(words, /Tuesday, Wednesday, Thursday, Friday,\s+Saturday/)
  t.equal((await store.all('SELECT slot FROM segment_activity')).length, 168, 'as many rows as a week has hours')
})

t.test('template files are validated without a controller; a broken one fails the command', async (t) => {
  const { run, dataDir, output } = await setUp(t, {})
  const [good, bad] = [join(dataDir, 'good.json'), join(dataDir, 'bad.json')]
  writeFileSync(good, JSON.stringify({ id: 'mail', extends: 'debian-12', label: 'mail server' }))
  writeFileSync(bad, JSON.stringify({ id: 'mail2', extends: 'mail', label: 'x', network: 'linux-9' }))
  t.match(await run('personas', 'validate', good), /good +.*good\.json: mail/)
  await t.rejects(run('personas', 'validate', good, bad), { code: 'CONFLICT', message: /1 of 2/ })
  t.match(output(), /refused +.*bad\.json[\s\S]*because +network linux-9 is none of: linux,/)
})
