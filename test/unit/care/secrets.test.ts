import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeCare } from '../../../agent/care/index.ts'
import { makeLogRing } from '../../../agent/care/log-ring.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import type { Plan } from '../../../shared/schemas/desired-state.ts'
import type { FilePart } from '../../../shared/schemas/event.ts'
import { openSpool, readAll, tempFolder } from '../spool/records.ts'

/** No name before it, no form of its own: known only by what this box holds. */
const word = () => randomBytes(9).toString('hex')

t.test('no secret of a box is in its bundle, nor in its log, wherever it got to', async (t) => {
  const stateDir = await tempFolder(t)
  const spool = await openSpool(await tempFolder(t))
  t.teardown(() => spool.stop())
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const lines = pem
    .toString()
    .split('\n')
    .filter((line) => line.length > 20 && !line.startsWith('-'))
  mkdirSync(join(stateDir, 'identity'))
  writeFileSync(join(stateDir, 'identity/key.pem'), pem)
  writeFileSync(join(stateDir, 'identity/identity.json'), JSON.stringify({ name: 'box', signingKey: 'public' }))
  const planted = { opens: word(), honey: word(), community: word(), content: word() }
  const proxy = word()
  writeFileSync(
    join(stateDir, 'agent.json'),
    JSON.stringify({ proxy: `http://me:${proxy}@198.18.0.1:3128`, token: word() }),
  )
  const persona = {
    users: [{ name: 'root', passwords: [planted.opens] }],
    honey: [{ username: 'db', password: planted.honey, service: 'mysql', path: '/root/.my.cnf' }],
    services: [{ kind: 'snmp', settings: { community: planted.community, location: 'cellar' } }],
    files: [{ path: '/root/notes', content: planted.content }],
  }
  const plan = { revision: 7, issuedAt: '', expiresAt: '', scan: { decoyMacs: [] }, decoys: [], personas: [persona] }
  const held = { plan: plan as unknown as Plan, blocks: { revision: 2, entries: [] } }

  const ring = makeLogRing()
  const token = `ml1.${randomBytes(40).toString('base64url')}`
  for (const secret of [planted.opens, planted.honey, planted.community, ...lines])
    ring.push(JSON.stringify({ level: 30, msg: `a session said ${secret} to "${secret}"` }))
  ring.push(JSON.stringify({ level: 30, msg: `enrolled with ${token}`, pem }))
  ring.push(JSON.stringify({ level: 30, msg: 'the last line' }))
  const care = makeCare({
    ...{ agent: newId(), version: '1', stateDir, ring, spool, clock: systemClock, log: silentLog },
    reboot: { allowed: false },
    held: () => held,
    status: () => ({ seen: planted.opens }),
    doctor: async () => ({ ok: false, checks: [{ detail: `said ${planted.honey}` }] }),
    report: async () => undefined,
  })
  t.teardown(care.stop)

  const log = JSON.stringify(await care.answer({ name: 'logs', lines: 100 }))
  t.match(log, 'the last line')
  const sent = new Promise<void>((resolve) => spool.onAppend((stream) => stream === 'files' && resolve()))
  await care.answer({ name: 'support-bundle' })
  await sent
  await care.stop()
  const parts = [...(await readAll(spool, 'files')).lines.values()].map((line) => JSON.parse(line) as FilePart)
  const folder = await tempFolder(t)
  writeFileSync(join(folder, 'a.tar.gz'), Buffer.concat(parts.map(({ data }) => Buffer.from(data, 'base64'))))
  execFileSync('tar', ['xzf', 'a.tar.gz'], { cwd: folder })
  const inside = join(folder, 'marshlight-support')
  const all = (await readdir(inside)).map((name) => readFileSync(join(inside, name), 'utf8')).join('\n')
  t.match(all, /"revision": 7[\s\S]*198\.18\.0\.1:3128|198\.18\.0\.1:3128[\s\S]*"revision": 7/, 'what helps is there')
  for (const text of [log, all]) {
    t.notMatch(text, /PRIVATE KEY|ml1\./)
    for (const secret of [...Object.values(planted), proxy, token, ...lines])
      t.notOk(text.includes(secret), `${secret} is not in it`)
  }
})
