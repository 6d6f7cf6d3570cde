import { once } from 'node:events'
import t from 'tap'
import { personaWith, run, talkTo } from './running.ts'

t.test('another persona takes effect in the running process, and open connections stay', async (t) => {
  const running = await run(t, [
    { kind: 'http', product: 'nginx', version: '1.22.1' },
    { kind: 'redis', product: 'Redis', version: '6.0.16' },
  ])
  const [http, redis] = running.services
  if (!http || !redis) throw new Error('unreachable')
  const before = await running.talk('http')
  const get = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n'
  before.send(get)
  t.match(await before.text('\r\n\r\n'), /Server: nginx\/1\.22\.1\r\n/)

  const page = { path: '/status', status: 200, type: 'text/plain', body: 'all is well\n' }
  const ftp = { kind: 'ftp', port: redis.port, product: 'vsftpd', version: '3.0.3', settings: {} } as const
  await running.play(
    personaWith([{ ...http, product: 'Apache', version: '2.4.57 (Debian)', pages: [page] }, ftp], 2),
    2,
  )
  t.match(await running.status(2), { personaVersion: 2, leftOut: [], error: undefined })
  before.send(get)
  t.match(await before.text('\r\n\r\n'), /Server: Apache\/2\.4\.57 \(Debian\)\r\n/, 'on the same connection')
  before.send('GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  t.match((await before.rest()).toString(), /\r\n\r\nall is well\n$/)
  const other = await talkTo(redis.port)
  t.equal(await other.text('\r\n'), '220 (vsFTPd 3.0.3)\r\n', 'a port was given to another service')
  other.socket.destroy()

  await running.play(personaWith([{ ...http, port: redis.port }], 3), 3)
  t.match(await running.status(3), { personaVersion: 3 })
  const closed = await talkTo(http.port).catch((error) => error.code)
  t.equal(closed, 'ECONNREFUSED', 'a port that the persona lost is closed')
  const [first] = await running.events()
  t.match(first, { eventid: 'http.session.open', marshlight: { personaVersion: 1, revision: 1 } })
})

t.test('a persona that cannot be used leaves the one in force, and says so', async (t) => {
  const running = await run(t, [{ kind: 'vnc' }], {}, /port 0/)
  const [vnc] = running.services
  await running.play({ ...personaWith([]), services: [{ ...vnc, port: 0 } as never] }, 2)
  t.match(await running.status(1, 'error'), { revision: 1, error: /port 0 of a service/ })
  const open = await running.talk('vnc')
  t.equal(await open.text('\n'), 'RFB 003.008\n')
  open.socket.destroy()
  await once(open.socket, 'close')
})

t.test('one source gets so many connections and no more, and is given way to when it leaves', async (t) => {
  const running = await run(t, [{ kind: 'vnc' }], { MARSHLIGHT_MAX_CONNECTIONS_PER_SOURCE: '2' })
  const [one, two] = [await running.talk('vnc'), await running.talk('vnc')]
  await Promise.all([one.text('\n'), two.text('\n')])
  const three = await running.talk('vnc')
  t.equal((await three.rest()).length, 0)
  one.send('RFB 003.008\n')
  await one.bytes(2)
  one.socket.destroy()
  for (;;) {
    const next = await running.talk('vnc')
    const heard = await next.text('\n')
    next.socket.destroy()
    if (heard !== '') break
  }
  two.socket.destroy()
  t.pass('there is room again')
})
