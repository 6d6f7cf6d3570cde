import { execFileSync } from 'node:child_process'
import t from 'tap'
import { serviceName } from '../../agent/decoys/specs.ts'
import type { DriftEffect } from '../../shared/schemas/drift.ts'
import type { DecoyEvent } from '../../shared/schemas/event.ts'
import { eventually } from './cowrie-pod.ts'
import { planOf } from './decoys-appliance.ts'
import { allOf, asked, asking, linesOf, medianMs } from './http-probe.ts'
import { latency, makeDriftingDecoy, page } from './pod-drift-decoy.ts'
import { counts, speaksFor } from './shares.ts'

t.setTimeout(200_000)

/** The first words of FTP to one connection after another. */
const greetedBy = `
import socket, sys
for _ in range(int(sys.argv[2])):
    with socket.create_connection((sys.argv[1], 21), 10) as s:
        print(s.recv(3).decode())
`

t.test('drift reaches the web page of a decoy', async (t) => {
  const world = await makeDriftingDecoy(t)
  const { segment, decoy, persona, agent, pod, make, decoys, drift, applied, processes, inPod, records } = world
  const { looks, waysOut } = world
  const ask = (way: 'kept' | 'fresh', times: number) => asked(segment, decoy.ip, { times, way })
  const neighbour = segment.cidr.replace('0/24', '9')
  /** When the answers over this connection begin or cease to wait for `ms`. */
  const feels = async (ms: number, way: 'kept' | 'fresh' = 'kept') => {
    for await (const one of asking(segment, decoy.ip, { times: 2000, way, pauseSeconds: 0.01 }))
      if (one.came === 'ok' && Math.abs(one.ms - ms) < ms / 2) return one
    return t.fail(`never felt ${ms} ms`)
  }
  await decoys.start(new AbortController().signal)
  await applied([])
  const plain = await ask('kept', 100)
  t.same(counts(plain), { ok: 100 })
  t.equal(plain[0]?.body, page)
  t.same(processes(), [], 'without drift nothing is in the way')
  const looked = looks()
  const ways = waysOut()

  await t.test('an open connection feels it and is kept', async (t) => {
    const open = asking(segment, decoy.ip, { times: 3000, way: 'kept', pauseSeconds: 0.01 })
    const first = (await open.next()).value
    const given = drift([latency(120)])
    for await (const one of open) {
      t.match(one, { came: 'ok', port: first?.port })
      if (one.ms > 110) {
        t.comment(`felt after ${Math.round(one.at + one.ms - given.at)} ms, its own 120 among them`)
        break
      }
    }
    await eventually(async () => processes().length === 1 || undefined, 'one process is in the way', 15)
  })

  await t.test('a wait of 50 ms is one of 50 ms, and the way there is as quick as before', async (t) => {
    await applied([latency(50)])
    await feels(50)
    // Of the quicker half: what else this machine does falls on the others.
    const quick = (all: readonly { ms: number }[]) =>
      all.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(all.length / 4)] ?? Number.NaN
    const longer = quick(await ask('kept', 60)) - quick(plain)
    t.ok(longer > 48 && longer < 60, `${longer} ms`)
    const reach = () => segment.onNeighbour('nmap', '-n', '-sS', '-Pn', '-p', '80', '--reason', '-d', decoy.ip)
    const rtt = Number(/srtt: (\d+)/.exec(reach())?.[1])
    t.ok(rtt < 25_000, `a connection opens in ${rtt} us`)
  })

  await t.test('who asks over a kept connection is acknowledged while his answer waits', async (t) => {
    const sentAgain = () => {
      const [names, values] = [...segment.onNeighbour('cat', '/proc/net/snmp').matchAll(/^Tcp: (.*)$/gm)].map(
        ([, row]) => row?.split(' ') ?? [],
      )
      return Number(values?.[names?.indexOf('RetransSegs') ?? -1])
    }
    await applied([latency(600)])
    await feels(600)
    const before = sentAgain()
    t.same(counts(await ask('kept', 6)), { ok: 6 })
    t.equal(sentAgain(), before, 'nobody asks twice')
    for (const way of waysOut().trim().split('\n')) t.match(way, /quickack 1/)
    await applied([latency(50)])
    await feels(50)
  })

  await t.test('a scan sees the same system, and the decoy stays closed towards others', async (t) => {
    t.same(looks(), looked)
    t.match(JSON.parse(inPod('marshlight-pod', 'verify')), { ok: true, allowed: [] })
    const outward = `import socket; socket.create_connection(("${neighbour}", 22), 2)`
    const service = serviceName(decoy.id, 'services')
    t.throws(() => execFileSync('docker', ['exec', service, 'python3', '-c', outward], { stdio: 'pipe' }), /timed out/)
    const [pid] = processes()
    const rights = execFileSync('grep', ['-E', 'CapEff|CapBnd|NoNewPrivs|^Uid', `/proc/${pid}/status`], {
      encoding: 'utf8',
    })
    t.match(rights, /Uid:\t65534.*\nCapEff:\t0000000000001000\nCapBnd:\t0000000000001000\nNoNewPrivs:\t1/)
  })

  await t.test('a source with a view of its own meets that alone', async () => {
    await applied([latency(50)], [{ source: neighbour, drift: { seed: 'v', effects: [latency(200)] } }])
    await feels(200)
  })

  const error = (kind: 'refused' | 'reset' | 'busy', share: number) => ({ type: 'error' as const, kind, share })
  const failing: [DriftEffect & { type: 'error' }, 'kept' | 'fresh', string][] = [
    [error('refused', 0.2), 'fresh', 'ConnectionRefusedError'],
    [error('reset', 0.1), 'kept', 'ConnectionResetError'],
  ]
  for (const [effect, way, error] of failing)
    await t.test(`${effect.kind} as often as asked for`, async (t) => {
      await applied([latency(20), effect])
      await feels(20, way)
      const seen = counts(await ask(way, 250))
      t.same(Object.keys(seen).sort(), [error, 'ok'])
      t.ok(speaksFor(effect.share, seen[error] ?? 0, 250), JSON.stringify(seen))
      if (effect.kind !== 'refused') return
      const kept = (await ask('kept', 40)).map(({ came }) => came)
      t.same([...new Set(kept.slice(kept.indexOf('ok')))], ['ok'], 'a connection that is open goes on')
    })

  await t.test('digits of a page change in as many answers as asked for, and nothing else', async (t) => {
    await applied([latency(20), { type: 'alteration', what: 'fields', share: 0.3 }])
    await feels(20)
    const all = await ask('kept', 200)
    t.same(counts(all), { ok: 200 })
    const altered = all.filter(({ body }) => body !== page)
    t.ok(speaksFor(0.3, altered.length, 200), `${altered.length} of 200`)
    for (const { body } of altered) t.match(body, /^<h1>Files<\/h1>\n<p>\d{5} files in \d{3} folders<\/p>\n$/)
  })

  await t.test(
    'datagrams: an answer waits, also one from a new port; refused is told as of a closed port',
    async (t) => {
      const udp = (kind: 'ntp' | 'tftp', times: number) =>
        allOf(
          linesOf<{ came: string; port: number; ms: number }>(segment, 'udp-probe.py', decoy.ip, kind, String(times)),
        )
      await applied([latency(150), error('refused', 0.3)])
      await feels(150, 'fresh')
      const clock = await udp('ntp', 24)
      const { ok = 0, refused = 0 } = counts(clock)
      t.ok(speaksFor(0.3, 24 - ok, 24), `${24 - ok} of 24`)
      // A host tells of closed ports six times at once, then once a second (icmp_ratelimit): further ones hear nothing.
      t.ok(refused >= Math.min(6, 24 - ok), `${refused} of ${24 - ok} are told`)
      const answered = clock.filter(({ came }) => came === 'ok')
      for (const { ms, port } of answered) t.ok(port === 123 && ms > 79 && ms < 400, `${ms} ms`)
      await applied([latency(150)])
      await feels(150)
      for (const { came, port, ms } of await udp('tftp', 4)) {
        t.ok(came === 'ok' && port !== 69, `from port ${port}`)
        t.ok(ms > 79 && ms < 400, `${ms} ms`)
      }
    },
  )

  await t.test('answers wait for each connection that is open besides', async (t) => {
    const each = 30
    await applied([latency(30), { type: 'latency', form: 'load', ms: each, spread: 0 }])
    await feels(30)
    const others: ReturnType<typeof asking>[] = []
    for (const many of [0, 4]) {
      while (others.length < many) others.push(asking(segment, decoy.ip, { times: 2, way: 'kept', pauseSeconds: 60 }))
      // Each has had its first answer, and stays.
      for (const { value } of await Promise.all(others.map((other) => other.next()))) t.match(value, { came: 'ok' })
      // The first few may go by a count of a quarter of a second before.
      const waited = medianMs(await ask('kept', 12)) - 30
      t.ok(Math.abs(waited - many * each) < 25, `${many} besides: ${waited.toFixed(1)} ms of ${many * each}`)
    }
    await Promise.all(others.map((other) => other.return()))
  })

  await t.test('a busy service says so itself, as often as asked for, and nobody waits for it', async (t) => {
    await applied([latency(20), error('busy', 0.3)])
    await feels(20)
    const pages = await ask('kept', 100)
    t.same(counts(pages), { ok: 100 }, 'each is answered')
    const busy = pages.filter(({ body }) => body !== page)
    for (const { body } of busy) t.match(body, /503 Service Temporarily Unavailable/)
    t.ok(speaksFor(0.3, busy.length, 100), `${busy.length} of 100`)
    const greetings = segment.onNeighbour('python3', '-c', greetedBy, decoy.ip, '40').trim().split('\n')
    t.same([...new Set(greetings)].sort(), ['220', '421'])
    const away = greetings.filter((code) => code === '421').length
    t.ok(speaksFor(0.3, away, 40), `${away} of 40`)
  })

  await t.test('in hours of no service nobody is answered, out of them everybody', async (t) => {
    const at = new Intl.DateTimeFormat('en', { timeZone: persona.timezone, hour: 'numeric', hourCycle: 'h23' })
    const hours = (from: number, to: number) => [from, to].map((ahead) => (Number(at.format()) + ahead) % 24)
    await applied([latency(20), { type: 'schedule', hours: hours(5, 6) }])
    await feels(20)
    const open = asking(segment, decoy.ip, { times: 2000, way: 'kept', pauseSeconds: 0.01 })
    t.match((await open.next()).value, { came: 'ok' })
    await applied([latency(20), { type: 'schedule', hours: hours(0, 1) }])
    const ends: string[] = []
    for await (const { came } of open) {
      if (came !== 'ok') ends.push(came)
      if (ends.length === 2) break
    }
    t.same(ends, ['ConnectionResetError', 'ConnectionRefusedError'], 'an open one is reset, a new one refused')
    t.same(counts(await ask('fresh', 5)), { ConnectionRefusedError: 5 })
    await applied([latency(20), { type: 'schedule', hours: hours(5, 6) }])
    await feels(20)
  })

  await t.test('a process that is killed leaves the decoy as it is, and comes again', async (t) => {
    await applied([latency(100)])
    await feels(100)
    const [pid = 0] = processes()
    process.kill(pid, 'SIGKILL')
    const seen = await ask('kept', 20)
    t.same(counts(seen), { ok: 20 })
    t.ok(medianMs(seen) < 100, 'nothing waits for the dead')
    await feels(100)
    t.strictNotSame(processes(), [pid])
  })

  await t.test('it outlives the agent, and the next one takes over', async (t) => {
    await decoys.stop()
    const told = records.length
    await feels(100)
    const before = processes()
    const next = make()
    t.teardown(() => next.stop())
    await next.start(new AbortController().signal)
    drift([latency(60)], [], next)
    const taken = async () => (processes().length === 1 && processes()[0] !== before[0] ? true : undefined)
    await eventually(taken, 'another process has the place of the one before', 15)
    await feels(60)
    drift([], [], next)
    const gone = async () => (processes().length === 0 ? true : undefined)
    await eventually(gone, 'nothing is in the way any more', 15)
    t.notMatch(inPod('nft', 'list', 'tables'), /marshlight_drift/)
    t.equal(waysOut(), ways)
    const feltSince = (from: number) =>
      (records.slice(from) as unknown as DecoyEvent[]).filter(({ source }) => source === 'marshlight.drift')
    // In one row or in several, by how soon the next one asked: waits of 60 ms, and of 100 from the time without an agent.
    const late = await eventually(
      async () => {
        const waits = feltSince(told).filter(({ data }) => data?.what === 'fixed')
        const sum = (name: 'count' | 'ms') => waits.reduce((all, { data }) => all + Number(data?.[name]), 0)
        return sum('count') > 1 && sum('ms') > 60 * sum('count') && sum('ms') < 100 * sum('count')
          ? waits[0]
          : undefined
      },
      'it is told, and what was felt without an agent with it',
      15,
    )
    t.match(late, { decoy: decoy.id, kind: 'other', src: { ip: neighbour }, data: { type: 'latency', mark: String } })
    const kinds = new Set(feltSince(0).map(({ data }) => `${data?.type} ${data?.what}`))
    for (const kind of ['error refused', 'error reset', 'alteration fields']) t.ok(kinds.has(kind), `${kind} was told`)
    const seen = await ask('kept', 50)
    t.same(counts(seen), { ok: 50 })
    t.ok(medianMs(seen) < medianMs(plain) + 10)
    next.applyPlan(planOf(agent, 1000, [], [persona]))
    await eventually(
      async () => (execFileSync('docker', ['ps', '-q', '-f', `name=${pod}`]).length === 0 ? true : undefined),
      'the decoy is gone',
      30,
    )
  })
})
