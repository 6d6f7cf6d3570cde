import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { toldBy } from '../../../agent/mimicry/told.ts'

const program = join(import.meta.dirname, '../../../images/pod/mimic.py')
type Line = { type: string; id?: number; why?: string; exchanges?: number[][]; bytes?: number }

t.test('the process in the pod holds to the plan by itself, whatever it is asked', async (t) => {
  const resolver = createSocket('udp4')
  resolver.on('message', (query, { port, address }) => {
    const answer = Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x83]), query.subarray(4)])
    resolver.send(answer, port, address)
  })
  resolver.bind(0, '127.0.0.1')
  await once(resolver, 'listening')
  t.teardown(() => resolver.close())
  const { port } = resolver.address()
  const target = { role: 'resolver', ip: '127.0.0.1', port, proto: 'udp' }
  const plan = {
    targets: [{ ...target, names: ['deb.example'] }],
    mostAnHour: 3,
    mostBytesAnHour: 10_000,
    answerOn: null,
  }
  const { say, until, child, change } = await begun(t, plan)
  const ask = (id: number, more: object = {}, exchanges = [[29, 40, 0]]) => ({
    id,
    at: Date.now(),
    instance: 0,
    kind: 'dns',
    target,
    exchanges,
    ...more,
  })
  say({
    slice: [
      ask(1, { target: { ...target, port: port === 9 ? 10 : 9 } }),
      ask(2),
      ask(3, {}, [[29, 90_000, 0]]),
      ask(4),
      ask(5),
      ask(6),
    ],
  })
  const lines = await until((all) => all.filter(({ id }) => id !== undefined).length === 6)
  const of = (id: number) => lines.find((line) => line.id === id)
  t.match(of(1), { type: 'bounded', why: 'not in the plan' })
  t.match(of(2), { type: 'done', exchanges: [[29, 29, Number]], bytes: 58 })
  t.match(of(3), { type: 'bounded', why: 'mostBytesAnHour' })
  t.match([of(4), of(5)], [{ type: 'done' }, { type: 'done' }])
  t.match(of(6), { type: 'bounded', why: 'mostAnHour' }, 'the fourth of an hour that may have three')
  say({ slice: [ask(7, { at: Date.now() + 60_000 })] })
  await change(null)
  await once(child, 'close')
  t.ok((await until(() => true)).some(({ type, why }) => type === 'ended' && why === 'switched off'))
})

t.test('packets tell by the port that they leave from whose they are', async (t) => {
  const left: number[] = []
  const resolver = createSocket('udp4')
  resolver.on('message', (query, { port, address }) => {
    left.push(port)
    resolver.send(Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x83]), query.subarray(4)]), port, address)
  })
  resolver.bind(0, '127.0.0.1')
  await once(resolver, 'listening')
  t.teardown(() => resolver.close())
  const target = { role: 'resolver', ip: '127.0.0.1', port: resolver.address().port, proto: 'udp' }
  const bounds = { mostAnHour: 30, mostBytesAnHour: 10_000, answerOn: null }
  const { say, until } = await begun(t, {
    ...bounds,
    instantiations: 3,
    targets: [{ ...target, names: ['deb.example'] }],
  })
  const asked = [0, 1, 2, 2, 1, 0, 0, 1, 2]
  for (const [id, instance] of asked.entries()) {
    say({ slice: [{ id, at: Date.now(), instance, kind: 'dns', target, exchanges: [[29, 40, 0]] }] })
    await until((all) => all.some((line) => line.id === id && line.type === 'done'))
  }
  t.strictSame(
    left.map((port) => port % 3),
    asked,
  )
  t.ok(new Set(left).size > 6, `ports are drawn: ${left}`)
})

t.test('the time is asked for as a client of NTP does', async (t) => {
  const clock = createSocket('udp4')
  const asked = new Promise<Buffer>((resolve) => {
    clock.on('message', (query, { port, address }) => {
      resolve(query)
      clock.send(Buffer.concat([Buffer.from([0x24, 2]), query.subarray(2)]), port, address)
    })
  })
  clock.bind(0, '127.0.0.1')
  await once(clock, 'listening')
  t.teardown(() => clock.close())
  const target = { role: 'clock', ip: '127.0.0.1', port: clock.address().port, proto: 'udp' }
  const plan = { targets: [target], mostAnHour: 3, mostBytesAnHour: 10_000, answerOn: null }
  const { say, until } = await begun(t, plan)
  say({ slice: [{ id: 1, at: Date.now(), instance: 0, kind: 'ntp', target, exchanges: [[48, 48, 0]] }] })
  const query = await asked
  t.strictSame([query.length, query[0], query.subarray(1, 40)], [48, 0x23, Buffer.alloc(39)])
  const seconds = query.readUInt32BE(40) - 2_208_988_800
  t.ok(Math.abs(seconds - Date.now() / 1000) < 60, `${seconds} is now`)
  const lines = await until((all) => all.some(({ id }) => id === 1))
  t.match(
    lines.find(({ id }) => id === 1),
    { type: 'done', exchanges: [[48, 48, Number]], bytes: 96 },
  )
})

t.test(
  'where a resolver has no names it is asked for the plan’s own, and for no name of the world outside',
  async (t) => {
    const asked: string[] = []
    const resolver = createSocket('udp4')
    resolver.on('message', (query, { port, address }) => {
      asked.push(nameIn(query))
      resolver.send(Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x83]), query.subarray(4)]), port, address)
    })
    resolver.bind(0, '127.0.0.1')
    await once(resolver, 'listening')
    t.teardown(() => resolver.close())
    const target = { role: 'resolver', ip: '127.0.0.1', port: resolver.address().port, proto: 'udp' }
    const updates = { role: 'updates', ip: '127.0.0.1', port: 9, proto: 'tcp', names: ['deb.example'] }
    const bounds = { mostAnHour: 30, mostBytesAnHour: 10_000, answerOn: null }
    for (const targets of [[target], [target, updates]]) {
      const { say, until, child } = await begun(t, { ...bounds, targets })
      say({ slice: [{ id: 1, at: Date.now(), instance: 0, kind: 'dns', target, exchanges: [[35, 40, 0]] }] })
      await until((all) => all.some(({ type }) => type === 'done'))
      child.stdin.end()
      await once(child, 'close')
    }
    t.strictSame(asked, ['1.0.0.127.in-addr.arpa', 'deb.example'])
  },
)

/** The name that a query asks for (RFC 1035, 4.1.2). */
function nameIn(query: Buffer): string {
  const labels: string[] = []
  for (let at = 12; query[at]; at += 1 + (query[at] as number))
    labels.push(query.subarray(at + 1, at + 1 + (query[at] as number)).toString())
  return labels.join('.')
}

t.test('how fast answers came is told, of those that came in pieces', async (t) => {
  const body = Buffer.alloc(2_000_000, 'x')
  const server = createServer((_, response) => void response.end(body))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const target = { role: 'updates', ip: '127.0.0.1', port, proto: 'tcp', names: ['deb.example'] }
  const plan = { targets: [target], mostAnHour: 3, mostBytesAnHour: 10_000_000, answerOn: null }
  const { say, until } = await begun(t, plan)
  say({ slice: [{ id: 1, at: Date.now(), instance: 0, kind: 'http', target, exchanges: [[150, 2_000_000, 0]] }] })
  const lines = await until((all) => all.some(({ id }) => id === 1))
  const told = toldBy(JSON.stringify(lines.find(({ id }) => id === 1)))
  t.match(told, { type: 'done', movedBytes: Number, movedMs: Number })
  const { movedBytes = 0, movedMs = 0 } = told?.type === 'done' ? told : {}
  t.ok(movedBytes > 1_800_000 && movedBytes < 2_000_200 && movedMs > 0, `${movedBytes} in ${movedMs} ms`)
})

async function begun(t: Test, plan: object) {
  const folder = await mkdtemp(join(tmpdir(), 'mimicry-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'mimicry.json')
  const change = async (next: object | null) => {
    await writeFile(`${file}.new`, JSON.stringify(next))
    await rename(`${file}.new`, file)
  }
  await change(plan)
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('python3', ['-IBS', program], {
    env: { ...process.env, MARSHLIGHT_MIMICRY_FILE: file },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  let [text, told] = ['', () => {}]
  child.stdout.on('data', (piece: Buffer) => {
    text += piece
    told()
  })
  const until = async (enough: (lines: Line[]) => boolean) => {
    for (;;) {
      const lines = text
        .split('\n')
        .slice(0, -1)
        .map((line): Line => JSON.parse(line))
      if (enough(lines)) return lines
      await new Promise<void>((resolve) => {
        told = resolve
      })
    }
  }
  return { child, until, change, say: (line: object) => child.stdin.write(`${JSON.stringify(line)}\n`) }
}
