import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { busyWords, saysBusy } from '../../../shared/busy-words.ts'
import { driftMark } from '../../../shared/drift-mark.ts'
import { type DecoyDrift, noDrift } from '../../../shared/schemas/drift.ts'
import { type Running, run, type Wanted } from './running.ts'

type Talk = Awaited<ReturnType<Running['talk']>>
type Way = { wanted: Wanted; ask(talk: Talk): Promise<Buffer>; busy: RegExp; usual: RegExp }

const rest = (text: string) => (talk: Talk) => {
  talk.send(text)
  return talk.rest()
}
const first = (text: string | Buffer, bytes: number) => (talk: Talk) => {
  talk.send(text)
  return talk.bytes(bytes)
}
const startUp = Buffer.from('\0\x03\0\0user\0a\0database\0a\0\0', 'latin1')
const mqtt = Buffer.from('\0\x04MQTT\x04\x02\0\x3c\0\x01c', 'latin1')
/** What cannot be printed as its number. */
const shown = (bytes: Buffer) =>
  bytes.toString('latin1').replace(/[^ -~\r\n]/g, (one) => `<${one.charCodeAt(0).toString(16).padStart(2, '0')}>`)
const closing = 'Host: a\r\nConnection: close\r\n\r\n'

/** As clients meet it; vsftpd, redis, nginx and PostgreSQL 15 said exactly this. */
const ways: Way[] = [
  {
    wanted: { kind: 'http', product: 'nginx', version: '1.22.1' },
    ask: rest(`GET /none HTTP/1.1\r\n${closing}`),
    busy: /^HTTP\/1\.1 503 Service Temporarily Unavailable\r\nServer: nginx\/1\.22\.1\r\n.*\r\nRetry-After: 30\r\n.*<h1>503 Service/s,
    usual: /^HTTP\/1\.1 404 /,
  },
  {
    wanted: { kind: 'winrm' },
    ask: rest(`POST /wsman HTTP/1.1\r\nContent-Length: 0\r\n${closing}`),
    busy: /^HTTP\/1\.1 503 .*Retry-After: 30/s,
    usual: /^HTTP\/1\.1 401 /,
  },
  {
    wanted: { kind: 'rtsp', product: 'camera' },
    ask: first('DESCRIBE rtsp://a/ RTSP/1.0\r\nCSeq: 7\r\n\r\n', 20),
    busy: /^RTSP\/1\.0 503 Service Unavailable\r\nCSeq: 7\r\n.*Retry-After: 30/s,
    usual: /^RTSP\/1\.0 401 /,
  },
  {
    wanted: { kind: 'modbus', product: 'controller' },
    ask: first(Buffer.from('000100000006010300000001', 'hex'), 9),
    busy: /^<00><01><00><00><00><03><01><83><06>$/,
    usual: /^<00><01><00><00><00><05><01><03><02>/,
  },
  {
    wanted: { kind: 'ftp', product: 'vsftpd', version: '3.0.3' },
    ask: first('', 3),
    busy: /^421 There are too many connected users, please try later\.\r\n$/,
    usual: /^220 \(vsFTPd 3\.0\.3\)\r\n$/,
  },
  {
    wanted: { kind: 'mysql', product: 'MySQL', version: '8.0.36' },
    ask: first('', 5),
    busy: /^<17><00><00><00><ff><10><04>Too many connections$/,
    usual: /^.<00><00><00>\n8\.0\.36<00>/,
  },
  {
    wanted: { kind: 'postgres', product: 'PostgreSQL', version: '15.6' },
    ask: first(Buffer.concat([Buffer.from([0, 0, 0, startUp.length + 4]), startUp]), 9),
    busy: /^E<00><00><00>USFATAL<00>VFATAL<00>C53300<00>Msorry, too many clients already<00>Fproc\.c<00>L357<00>RInitProcess<00><00>$/,
    usual: /^R/,
  },
  {
    wanted: { kind: 'redis', product: 'Redis', version: '7.0.15' },
    ask: first('PING\r\n', 5),
    busy: /^-ERR max number of clients reached\r\n$/,
    usual: /^\+PONG\r\n$/,
  },
  {
    wanted: { kind: 'mqtt', product: 'mosquitto' },
    ask: first(Buffer.concat([Buffer.from([0x10, mqtt.length]), mqtt]), 4),
    busy: /^ <02><00><03>$/,
    usual: /^ <02><00><0[05]>$/,
  },
]

t.test('a service that drift has busy says so in its protocol’s words; others at other times', async (t) => {
  // A real web server has no such word, and is beside it nowhere here.
  const running = await run(t, [...ways.map(({ wanted }) => wanted), { kind: 'vnc' }], { MARSHLIGHT_BESIDE: '' })
  const effects = [{ type: 'error' as const, kind: 'busy' as const, share: 0.3 }]
  const drift: DecoyDrift = { everyone: { seed: 'busy', effects }, views: [] }
  const ports = saysBusy({ services: running.services }, ['services'])
  t.equal(ports.length, ways.length, 'all but VNC')
  const inForce = async (file: object) => {
    const path = join(running.out, '../control/drift.json')
    await writeFile(`${path}.new`, JSON.stringify(file))
    await rename(`${path}.new`, path)
  }
  const asked = async ({ wanted, ask }: Way) => {
    const talk = await running.talk(wanted.kind)
    const heard = shown(await ask(talk))
    talk.socket.destroy()
    return heard
  }
  await inForce({ ...drift, saysBusy: ports })
  for (const way of ways) {
    const met = { busy: 0, usual: 0 }
    const odd: string[] = []
    for (let tries = 0; tries < 2000 && (met.busy === 0 || met.usual === 0); tries++) {
      const heard = await asked(way)
      if (way.busy.test(heard)) met.busy++
      else if (way.usual.test(heard)) met.usual++
      // Who speaks first to a server that hangs up may lose its last words.
      else if (heard !== '') odd.push(heard)
    }
    t.ok(met.busy > 0 && met.usual > 0, `${way.wanted.kind}: ${JSON.stringify(met)}`)
    t.same(odd, [], way.wanted.kind)
  }

  await inForce({ ...noDrift, saysBusy: ports })
  const felt = async () => (await running.events()).filter(({ eventid }) => eventid === 'marshlight.drift')
  while ((await felt()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  t.match((await felt())[0], { src_ip: '127.0.0.1', type: 'error', what: 'busy', mark: driftMark(drift) })
  const [ftp] = ways.filter(({ wanted }) => wanted.kind === 'ftp')
  for (let i = 0; i < 30; i++) t.match(await asked(ftp as Way), (ftp as Way).usual)
})

t.test('real web servers have no such word: their answers wait', (t) => {
  const service = { kind: 'http' as const, port: 80, product: 'nginx', version: '1.22.1', settings: {} }
  t.equal(busyWords(service, ['services', 'web']), undefined)
  t.match(busyWords(service, ['services']), /503/)
  t.same(saysBusy({ services: [service] }, ['web']), [])
  t.end()
})
