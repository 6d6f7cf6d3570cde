import t from 'tap'
import { makeSessions } from '../../../agent/sessions/index.ts'
import { makeSpool } from '../../../agent/spool/index.ts'
import { scoresNow, shippedEvidence } from '../../../controller/risk/index.ts'
import { listSessions, timelineOf } from '../../../controller/sessions/index.ts'
import { systemClock } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import { silentLog } from '../../../shared/log.ts'
import { enrol, makeChain } from '../sessions/chain.ts'
import { startMs } from '../sessions/hand-clock.ts'
import { until } from '../sessions/places.ts'
import { tempFolder } from '../spool/records.ts'
import { decoy, run } from './running.ts'

t.test('an FTP log-in and an HTTP request are sessions of their source, and raise its risk', async (t) => {
  const running = await run(t, [
    { kind: 'ftp', product: 'ProFTPD', version: '1.3.8' },
    { kind: 'http', product: 'nginx', version: '1.22.1' },
  ])
  const ftp = await running.talk('ftp')
  t.match(await ftp.text('\r\n'), /^220 ProFTPD 1\.3\.8 Server/)
  ftp.send('USER backup\r\n')
  t.equal(await ftp.text('\r\n'), '331 Password required for backup\r\n')
  ftp.send('PASS Winter2025\r\n')
  t.equal(await ftp.text('\r\n'), '530 Login incorrect.\r\n')
  ftp.send('QUIT\r\n')
  await ftp.rest()
  const http = await running.talk('http')
  http.send('POST /admin HTTP/1.0\r\nUser-Agent: scan/1\r\nContent-Length: 25\r\n\r\nusername=root&password=to')
  t.match((await http.rest()).toString(), /^HTTP\/1\.1 405 Not Allowed\r\nServer: nginx\/1\.22\.1\r\n/)

  const stateDir = await tempFolder(t)
  const spool = makeSpool({ folder: `${stateDir}/spool`, clock: systemClock, log: silentLog })
  await spool.start(new AbortController().signal)
  const source = { id: decoy, outDir: running.out, persona: newId(), personaVersion: 9, revision: 7 }
  const decoys = () => [{ ...source, service: 'services' as const }]
  const sessions = makeSessions({ spool, log: silentLog, clock: systemClock, stateDir, decoys })
  await sessions.start(new AbortController().signal)
  t.teardown(async () => {
    await sessions.stop()
    await spool.stop()
  })
  const events = await until(
    spool,
    'events',
    (some) => some.filter(({ kind }) => kind === 'session.close').length === 2,
  )
  t.match(
    events.map(({ service, kind, username, password, url, clientVersion }) => ({
      ...{ service, kind, username, password, url, clientVersion },
    })),
    [
      { service: 'ftp', kind: 'session.open' },
      { service: 'ftp', kind: 'login.failed', username: 'backup', password: 'Winter2025' },
      { service: 'ftp', kind: 'session.close' },
      { service: 'http', kind: 'session.open' },
      { service: 'http', kind: 'request', url: '/admin', clientVersion: 'scan/1' },
      { service: 'http', kind: 'login.failed', username: 'root', password: 'to' },
      { service: 'http', kind: 'session.close' },
    ],
  )
  t.match(events[0], { decoy, personaVersion: 1, revision: 7, src: { ip: '127.0.0.1' }, dst: { port: Number } })

  const chain = makeChain(t)
  await enrol(chain)
  // The chain keeps a time of its own.
  const at = (n: number) => new Date(startMs + n).toISOString()
  await chain.feed(
    'events',
    events.map((one, n) => ({ ...one, at: at(n) })),
  )
  const found = await listSessions(chain.store, { limit: 10 })
  t.match(found.map(({ service, tries, username }) => [service, tries, username]).sort(), [
    ['ftp', 1, 'backup'],
    ['http', 1, 'root'],
  ])
  const web = found.find(({ service }) => service === 'http')
  t.ok(web && (await timelineOf(chain.store, web.id)).some(({ text }) => text === '/admin'))
  const rules = shippedEvidence(24)
  const scores = await scoresNow(chain.store, ['127.0.0.1'], { rules, exceptions: [], nowMs: chain.clock.now() })
  const risk = scores.get('127.0.0.1')
  t.ok((risk?.score ?? 0) > 20, `risk ${risk?.score}`)
  t.ok(
    risk?.reasons.some(({ words }) => /failed to log in 2 times/.test(words)),
    JSON.stringify(risk?.reasons),
  )
})
