import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import t, { type Test } from 'tap'
import { decoyRoutes } from '../../controller/api/routes/decoys.ts'
import { personaRoutes } from '../../controller/api/routes/personas.ts'
import { makeApi } from '../../controller/api/server.ts'
import { makeClient } from '../../controller/cli/client.ts'
import { decoysCommand } from '../../controller/cli/commands/decoys.ts'
import { personasCommand } from '../../controller/cli/commands/personas.ts'
import type { CliContext } from '../../controller/cli/context.ts'
import { detailsText, tableText } from '../../controller/cli/print.ts'
import { parseConfig } from '../../controller/config.ts'
import { composePlan, listDecoys } from '../../controller/decoys/index.ts'
import { readPersona } from '../../controller/personas/index.ts'
import { makeBus } from '../../controller/work/bus.ts'
import { silentLog } from '../../shared/log.ts'
import { systemRandom } from '../../shared/random.ts'
import { card, host, iso, scan, testFleet } from '../unit/segments/fleet.ts'

/** A real API on a socket over a real database, with the command line in front; what it prints is collected. */
async function setUp(t: Test, personas: object) {
  const fleet = await testFleet(t)
  const dataDir = mkdtempSync(join(tmpdir(), 'personas-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const config = parseConfig(JSON.stringify({ personas }), 'config.json')
  const requests = { send: async () => ({ id: fleet.ids.agent, at: iso(0), ok: true }) }
  const { store, clock } = fleet
  const deps = { config, dataDir, store, bus: makeBus(), clock, random: systemRandom, log: silentLog, requests }
  const socket = join(dataDir, 'api.sock')
  const server = makeApi([personaRoutes, decoyRoutes], deps, { socket })
  await server.start(new AbortController().signal)
  t.teardown(() => server.stop())
  let printed = ''
  let json = false
  const print = (text: string) => {
    printed += text
  }
  const cli: CliContext = {
    api: makeClient(() => ({ socket })),
    json: () => json,
    show: (value, human) => (json ? print(JSON.stringify(value)) : human(value)),
    table: (columns, rows) => print(`${rows.length === 0 ? '' : tableText(columns, rows, 80)}\n`),
    details: (pairs) => print(`${detailsText(pairs)}\n`),
    line: (text) => print(`${text}\n`),
    raw: print,
    progress: (_what, work) => work,
  }
  const run = async (...words: string[]): Promise<string> => {
    printed = ''
    json = words.includes('--json')
    const program = new Command().option('--json').exitOverride()
    for (const command of [personasCommand, decoysCommand]) command(program, cli)
    await program.parseAsync(words, { from: 'user' })
    return printed
  }
  await fleet.see(card(), ...[10, 11, 12].map((n) => host(n)), scan('quick', 5), scan('detail', 40))
  const plan = () => composePlan(store, fleet.ids.agent, { config, neverBlock: async () => [] })
  const only = async () => {
    const [decoy] = await listDecoys(store)
    if (!decoy) throw new Error('no decoy')
    return decoy
  }
  return { store, run, plan, only, dataDir, output: () => printed }
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

t.test('template files are validated without a controller; a broken one fails the command', async (t) => {
  const { run, dataDir, output } = await setUp(t, {})
  const [good, bad] = [join(dataDir, 'good.json'), join(dataDir, 'bad.json')]
  writeFileSync(good, JSON.stringify({ id: 'mail', extends: 'debian-12', label: 'mail server' }))
  writeFileSync(bad, JSON.stringify({ id: 'mail2', extends: 'mail', label: 'x', network: 'linux-9' }))
  t.match(await run('personas', 'validate', good), /good +.*good\.json: mail/)
  await t.rejects(run('personas', 'validate', good, bad), { code: 'CONFLICT', message: /1 of 2/ })
  t.match(output(), /refused +.*bad\.json[\s\S]*because +network linux-9 is none of: linux,/)
})
