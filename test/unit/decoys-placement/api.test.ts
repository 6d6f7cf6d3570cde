import t, { type Test } from 'tap'
import { decoyRoutes } from '../../../controller/api/routes/decoys.ts'
import { personaRoutes } from '../../../controller/api/routes/personas.ts'
import { scanRoutes } from '../../../controller/api/routes/scans.ts'
import { makeSegmentRoutes } from '../../../controller/api/routes/segments.ts'
import { decoysCommand } from '../../../controller/cli/commands/decoys.ts'
import { personasCommand } from '../../../controller/cli/commands/personas.ts'
import { scansCommand } from '../../../controller/cli/commands/scans.ts'
import { segmentsCommand } from '../../../controller/cli/commands/segments.ts'
import { listDecoys } from '../../../controller/decoys/index.ts'
import type { Persona } from '../../../shared/schemas/persona.ts'
import { apiWorld } from '../segments/api-world.ts'
import { cidr, host, iso } from '../segments/fleet.ts'

const attackers = async () => [{ ip: '198.18.9.9', score: 90, touched: [] }]
const routes = [makeSegmentRoutes({ attackers }), scanRoutes, personaRoutes, decoyRoutes]
const commands = [segmentsCommand, scansCommand, personasCommand, decoysCommand]

async function setUp(t: Test) {
  const world = await apiWorld(t, { routes, commands })
  const plans: unknown[] = []
  world.bus.on('plan-changed', (event) => plans.push(event.agents))
  return { ...world, plans }
}

t.test('a dry run says what would be deployed and changes nothing; the real one does', async (t) => {
  const { run, store, plans, ids } = await setUp(t)
  t.match(await run('decoys', 'deploy', '--segment', 'office', '--dry-run'), /Nothing was changed/)
  t.same(await listDecoys(store), [])
  t.same(plans, [])
  t.match(await run('decoys', 'deploy', '--segment', 'hq/office', '--reason', 'a test'), /done +deploy/)
  t.match(await listDecoys(store), [{ origin: 'admin', reason: 'a test' }])
  t.same(plans, [[ids.agent]])
})

t.test('a decoy is listed, shown, explained, reconfigured, moved and retired by its name', async (t) => {
  const { run, store } = await setUp(t)
  await run('decoys', 'deploy', '--segment', 'office')
  const [decoy] = await listDecoys(store)
  if (!decoy) throw new Error('no decoy')
  const { hostname, ip } = decoy
  t.match(await run('decoys', 'ls'), new RegExp(`${hostname} +${ip} +office +waiting`))
  t.match(await run('personas', 'ls'), new RegExp(hostname))
  t.match(await run('personas', 'show', ip), /Debian GNU\/Linux 12/)
  t.match(await run('personas', 'explain', hostname), /hosts speak for it/)
  t.notMatch(await run('personas', 'explain', hostname), /Linux kernel, which cannot/, 'Linux plays Linux whole')
  t.match(await run('decoys', 'reconfigure', hostname), /persona version 2/)
  t.match(await run('decoys', 'move', hostname), new RegExp(`from ${ip.replaceAll('.', '\\.')}`))
  t.match(await run('decoys', 'show', hostname), /reconfigure[\s\S]*move/)
  await run('decoys', 'retire', hostname)
  t.same(await listDecoys(store), [])
  t.match(await run('decoys', 'ls', '--retired'), /retired/)
  await t.rejects(run('decoys', 'retire', hostname), { code: 'CONFLICT' })
  await t.rejects(run('decoys', 'show', 'nobody'), { code: 'NOT_FOUND' })
})

t.test('a decoy that was unsafe says what to do next, and is released by its name, once', async (t) => {
  const { run, store, tell, plans, clock } = await setUp(t)
  await run('decoys', 'deploy', '--segment', 'office')
  const [decoy] = await listDecoys(store)
  if (!decoy) throw new Error('no decoy')
  await t.rejects(run('decoys', 'release', decoy.hostname), { code: 'CONFLICT', message: /not taken down/ })
  const at = new Date(clock.now()).toISOString()
  const state = { type: 'decoy' as const, at, decoy: decoy.id, revision: 1, attempts: 0, restarts: 0 }
  const events = await tell({ ...state, phase: 'condemned', ip: decoy.ip, reason: 'a way out' })
  t.match(events, [{ name: 'plan-changed' }])
  t.match(await run('decoys', 'ls'), /condemned/)
  const shown = await run('decoys', 'show', decoy.hostname)
  t.match(shown, /phase +condemned: a way out/)
  t.match(shown.replace(/\s+/g, ' '), `marshlight decoys release ${decoy.hostname}`)
  plans.length = 0
  t.match(await run('decoys', 'release', decoy.hostname, '--dry-run'), /Nothing was changed/)
  t.match(await run('decoys', 'ls'), /condemned/)
  t.match(await run('decoys', 'release', decoy.hostname), /done +release/)
  t.equal(plans.length, 1)
  t.notMatch(await run('decoys', 'ls'), /condemned/)
  await t.rejects(run('decoys', 'release', decoy.hostname), { code: 'CONFLICT' })
})

t.test('where a Linux kernel cannot imitate the stack is explained and shown', async (t) => {
  const { run, store } = await setUp(t)
  await run('decoys', 'deploy', '--segment', 'office')
  const [decoy] = await listDecoys(store)
  if (!decoy) throw new Error('no decoy')
  const said = await store.get<{ body: string }>('SELECT body FROM personas WHERE id = ?', decoy.persona)
  const persona = JSON.parse(said?.body ?? '{}') as Persona
  const body = JSON.stringify({ ...persona, network: { ...persona.network, stack: 'switch', closedUdp: 'drop' } })
  await store.run('UPDATE personas SET body = ? WHERE id = ?', body, decoy.persona)
  t.match(await run('personas', 'explain', decoy.ip), /- a scan sees a switch only among other network devices/)
  t.match(await run('personas', 'show', decoy.ip), /beyond Linux +.*sees a switch only/)
  t.match(JSON.parse(await run('personas', 'explain', decoy.ip, '--json')), { limits: [/other network devices/] })
})

t.test('segments are listed, shown, compared and drawn within 80 columns', async (t) => {
  const { run, see } = await setUp(t)
  await see(host(13, { at: iso(0), names: ['\u001b[31mred'] }), { type: 'gone', at: iso(0), cidr, ip: '198.18.1.11' })
  t.match(await run('segments', 'ls'), /hq\/office +198\.18\.1\.0\/24 +3 +1 +box/)
  t.match(await run('segments', 'show', 'office'), /\\x1b\[31mred/)
  t.match(await run('segments', 'show', 'office', '198.18.1.11'), /does not answer any more/)
  t.match(await run('segments', 'diff', 'office', '--since', '1h'), /198\.18\.1\.11 +gone/)
  const map = await run('segments', 'map')
  t.match(map, /\[G\]|\[ \] 198\.18\.1\.10/)
  t.match(map, /! 198\.18\.9\.9 risk 90/)
  t.match(await run('personas', 'catalogue'), /debian-12/)
  for (const words of [
    ['segments', 'ls'],
    ['segments', 'show', 'office'],
    ['segments', 'map'],
    ['scans', 'ls'],
    ['personas', 'catalogue'],
  ])
    for (const line of (await run(...words)).split('\n'))
      if (line.length > 80 && !/^(systems|services|vendors|appliances|id) /.test(line))
        t.fail(`${words.join(' ')}: ${line}`)
  await t.rejects(run('segments', 'diff', 'office', '--since', 'soon'), { code: 'USAGE' })
  await t.rejects(run('segments', 'show', 'attic'), { code: 'NOT_FOUND' })
})

t.test('a scan is asked for in the segment’s own network; a dry run asks nobody', async (t) => {
  const { run, asked } = await setUp(t)
  t.match(await run('scans', 'now', 'office', '--dry-run'), /box +office +would be asked/)
  t.same(asked, [])
  await run('scans', 'now', 'office', '--phase', 'quick')
  await run('scans', 'cancel', 'office')
  t.same(asked, [
    { name: 'scan', phase: 'quick', cidr },
    { name: 'scan.cancel', cidr },
  ])
  t.match(await run('scans', 'ls'), /office +detail +done +6\/254 +5 s/)
  t.equal(JSON.parse(await run('scans', 'ls', '--json')).items.length, 2)
})
