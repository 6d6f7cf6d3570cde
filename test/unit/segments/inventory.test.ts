import t from 'tap'
import {
  differencesOf,
  historyBetween,
  historyOf,
  hostsOf,
  listScans,
  listSegments,
  mixOf,
} from '../../../controller/segments/index.ts'
import { newId } from '../../../shared/ids.ts'
import { card, cidr, host, iso, scan, startedAt, testFleet } from './fleet.ts'

t.test('the first network of an agent is that of the segment it was enrolled for, a second gets its own', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card(), card({ nic: 'eth1', cidr: '198.18.2.0/24', address: '198.18.2.2' }), card())
  const segments = await listSegments(store)
  t.match(segments, [
    { id: ids.segment, name: 'office', cidr, gateway: '198.18.1.1', agents: [{ nic: 'eth0', address: '198.18.1.2' }] },
    { name: 'office-eth1', cidr: '198.18.2.0/24', site: 'hq' },
  ])
  t.equal(segments.length, 2)
})

t.test('two networks of one card are two segments with names of their own', async (t) => {
  const { see, store } = await testFleet(t)
  await see(card(), card({ cidr: '198.18.2.0/24' }), card({ cidr: '198.18.3.0/24' }))
  t.same(
    (await listSegments(store)).map(({ name }) => name),
    ['office', 'office-eth0', 'office-eth0-2'],
  )
})

t.test('hosts are kept as they are now, with each change in words and with before and after', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card(), host(10, { depth: 'quick', ports: [], os: [] }), host(10))
  await see(
    host(10, {
      at: iso(60),
      ports: [
        { port: 22, proto: 'tcp', service: 'ssh', product: 'OpenSSH', version: '9.2p1 Debian 2+deb12u7' },
        { port: 80, proto: 'tcp', service: 'http', product: 'nginx' },
      ],
    }),
  )
  await see(host(10, { at: iso(90), depth: 'quick', ports: [], os: [] }))
  await see({ type: 'gone', at: iso(120), cidr, ip: '198.18.1.10' })
  const [now] = await hostsOf(store, ids.segment)
  t.match(now, {
    ip: '198.18.1.10',
    status: 'gone',
    depth: 'detail',
    firstSeen: iso(1),
    lastSeen: iso(90),
    goneAt: iso(120),
  })
  t.equal(now?.ports.length, 2, 'a quick pass does not undo what a detail pass found')
  t.match(await historyOf(store, ids.segment, '198.18.1.10'), [
    { kind: 'appeared', at: iso(1), words: /web10/ },
    { kind: 'service', before: 'ssh OpenSSH 9.2p1 Debian 2+deb12u3', after: 'ssh OpenSSH 9.2p1 Debian 2+deb12u7' },
    { kind: 'port-opened', words: '80/tcp http nginx opened' },
    { kind: 'gone', at: iso(120) },
  ])
})

t.test('another MAC at an address is another machine', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card(), host(10), host(10, { at: iso(9), mac: '00:50:56:99:99:99', depth: 'quick', ports: [], os: [] }))
  const [now] = await hostsOf(store, ids.segment)
  t.match(now, { mac: '00:50:56:99:99:99', depth: 'quick', ports: [], firstSeen: iso(9) })
  t.match((await historyOf(store, ids.segment, '198.18.1.10')).at(-1), {
    kind: 'replaced',
    before: '00:50:56:00:00:10',
  })
})

t.test('a full picture marks the rest as gone, and only then', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card(), host(10), host(11), host(12))
  await see({ type: 'full', at: iso(30), cidr, ips: ['198.18.1.10', '198.18.1.12'] })
  t.same(
    (await hostsOf(store, ids.segment)).map(({ ip, status }) => `${ip} ${status}`),
    ['198.18.1.10 up', '198.18.1.11 gone', '198.18.1.12 up'],
  )
})

t.test('decoys and appliances are no hosts, but a stranger at their address is', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card())
  await store.run(
    `INSERT INTO decoys (id, segment, agent, cidr, ip, mac, hostname, persona, persona_version, status, origin, created_at, changed_at, reason)
     VALUES (?, ?, ?, ?, '198.18.1.50', '00:50:56:dd:dd:dd', 'web9', ?, 1, 'wanted', 'placement', ?, ?, 'test')`,
    newId(startedAt),
    ids.segment,
    ids.agent,
    cidr,
    newId(startedAt),
    iso(0),
    iso(0),
  )
  const { mac: _mac, ...withoutMac } = host(50) as Extract<Parameters<typeof see>[0], { type: 'host' }>
  await see(host(50, { mac: '00:50:56:dd:dd:dd' }), withoutMac, host(2, { mac: '00:50:56:aa:00:02' }))
  t.same(await hostsOf(store, ids.segment), [])
  await see(host(50))
  t.equal((await hostsOf(store, ids.segment)).length, 1)
})

t.test('a span of time is told host by host', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card(), host(10), host(11))
  await see(host(12, { at: iso(100) }), host(13, { at: iso(100) }), {
    type: 'gone',
    at: iso(110),
    cidr,
    ip: '198.18.1.11',
  })
  await see({ type: 'gone', at: iso(120), cidr, ip: '198.18.1.13' }, host(10, { at: iso(130), names: ['db1'] }))
  t.match(differencesOf(await historyBetween(store, ids.segment, iso(50), iso(200))), [
    { ip: '198.18.1.10', net: 'changed', changes: [{ words: 'names: web10.corp.example before, db1 now' }] },
    { ip: '198.18.1.11', net: 'gone' },
    { ip: '198.18.1.12', net: 'new' },
    { ip: '198.18.1.13', net: 'came and went' },
  ])
})

t.test('what changed nothing wakes nobody; scans are kept', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card(), host(10))
  t.same(await see(host(10, { at: iso(50) })), [])
  t.same(await see(scan('quick', 60)), [{ name: 'segment-changed', segment: ids.segment }])
  t.match(await listScans(store, 10), [{ agent: 'box', segment: 'office', phase: 'quick', outcome: 'done' }])
  t.match(await listSegments(store), [{ hostsUp: 1, quickDone: iso(60) }])
})

t.test('the mix counts systems by what their services say, before nmap’s guess', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await see(card(), host(10), host(11), host(12, { ports: [], os: [{ name: 'Microsoft Windows 10', accuracy: 97 }] }))
  t.same(mixOf(await hostsOf(store, ids.segment)), {
    systems: [
      { name: 'Debian', count: 2 },
      { name: 'Windows', count: 1 },
    ],
    services: [{ name: 'ssh', count: 2 }],
    vendors: [{ name: 'VMware', count: 3 }],
  })
})

t.test('an agent without a segment is an error, which the runner keeps as a dead letter', async (t) => {
  const { see, store, ids } = await testFleet(t)
  await store.run('DELETE FROM agent_segments WHERE agent = ?', ids.agent)
  await t.rejects(see(card()), /enrolled for no segment/)
})
