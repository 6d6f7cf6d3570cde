import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeCaptureLab } from './capture-lab.ts'
import { eventually } from './cowrie-pod.ts'
import { bannerFrom } from './decoys-appliance.ts'

t.setTimeout(150_000)

/** Asks for a page over one connection after another, and tells how long each answer took, in milliseconds. */
const askPages = `
import socket, sys, time
for _ in range(int(sys.argv[2])):
    s = socket.create_connection((sys.argv[1], 80), 5)
    began = time.time()
    s.sendall(b'GET / HTTP/1.1\\r\\nHost: attic\\r\\nConnection: close\\r\\n\\r\\n')
    s.recv(1)
    print((time.time() - began) * 1000)
    while s.recv(65536): pass
    s.close()
`

const askGreeting = `
import socket, sys
s = socket.create_connection((sys.argv[1], 22), 5)
print(s.recv(100).decode())
`

/** What real users' machines say to all, then a word for the decoy alone; from the neighbour. */
const tellAll = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'h0')
for place in ((sys.argv[2], 138), ('255.255.255.255', 67), ('224.0.0.251', 5353)):
    s.sendto(b'annas-laptop', place)
s.sendto(b'for the decoy', (sys.argv[1], 33333))
`

t.test('the traffic of decoys: windows and rings', async (t) => {
  const lab = await makeCaptureLab(t)
  const { segment, engine, stateDir, one, two, windows, parts, capture, audits } = lab
  const { plan, apply, podOf, count, busy, ringFolder, inRing } = lab

  await t.test('nobody looks with more rights than reading packets', async (t) => {
    for (const pid of capture.processes()) {
      const status = execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' })
      t.match(status, /^Uid:\s+65534\s+65534/m)
      t.match(status, /^CapEff:\s+0+2000$/m)
      t.match(status, /^NoNewPrivs:\s+1$/m)
    }
  })

  await t.test('windows say what a neighbour measured', async (t) => {
    const from = windows.length
    const times = segment.onNeighbour('python3', '-c', askPages, one.ip, '8').trim().split('\n').map(Number)
    t.equal(bannerFrom(segment, one.ip), 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3')
    const page = await busy(one.id, 80, from)
    t.match(page, { service: 'http', missed: 0, drift: 'none' })
    t.ok(page.seconds > 0 && page.seconds < 11, `${page.seconds} s`)
    t.match(page.profile['session.rate'], { count: 1 }, 'one source')
    t.match(page.profile['error.share'], { part: 0, of: 8 })
    const delays = page.profile['response.delay']
    if (delays?.form !== 'sample') throw new Error('no delays')
    t.equal(delays.n, 8)
    for (const [i, ms] of times.entries()) {
      const seen = delays.values[i] ?? Number.NaN
      t.ok(seen > 0 && seen <= ms && ms - seen < 50, `request ${i}: ${seen} ms in the decoy, ${ms} ms at the neighbour`)
    }
    const ssh = await busy(one.id, 22, from)
    t.match(ssh, { service: 'ssh' })
    t.match(ssh.profile['handshake.delay'], { n: 1 }, 'the time to its greeting')
    t.match(ssh.profile['connect.delay'], { n: 1 })
  })

  // Beside what follows: each waits for the end of a window.
  const touchedFrom = windows.length
  const place = audits.fromAt(99)
  const login = { username: 'mabcdefgh', password: 'Sommer2024' }
  const touching = audits.audits.touch({ name: 'touch', decoy: two.id, from: place, ...login })

  await t.test('traffic between two decoys of one card is in the rings of both', async (t) => {
    const from = windows.length
    const place = `--net=/proc/${podOf(one.id)?.pid}/ns/net`
    t.match(execFileSync('nsenter', [place, 'python3', '-c', askGreeting, two.ip], { encoding: 'utf8' }), /^SSH-2/)
    const greeting = `tcp src port 22 and src ${two.ip} and dst ${one.ip} and greater 80`
    for (const decoy of [one, two])
      await eventually(async () => ((await inRing(decoy.id, greeting)).length > 0 ? true : undefined), 'it is there')
    const own = await busy(one.id, undefined, from)
    t.match(own, { service: 'self' })
    t.match(own.profile['connect.delay'], { n: 1 }, 'what a decoy does by itself')
    const asked = (await busy(two.id, 22, from)).profile['partner.kind']
    t.ok(asked?.form === 'mix' && Object.keys(asked.counts).every((name) => /^[0-9a-f]{12}$/.test(name)))
  })

  await t.test('what real hosts tell everybody is in no ring, but who asks for the decoy is', async (t) => {
    const [toAll, another] = [one.ip.replace(/\d+$/, '255'), one.ip.replace(/\d+$/, '77')]
    for (const asked of [another, one.ip])
      segment.onNeighbour('sh', '-c', `arping -q -b -c 1 -w 1 -I h0 ${asked} || true`)
    segment.onNeighbour('python3', '-c', tellAll, one.ip, toAll)
    await eventually(
      async () => ((await inRing(one.id, `udp dst port 33333 and dst ${one.ip}`)).length > 0 ? true : undefined),
      'what came after it',
    )
    t.ok((await inRing(one.id, `arp dst host ${one.ip} and ether broadcast`)).length > 0)
    t.strictSame(await inRing(one.id, `ether multicast and not host ${one.ip}`), [])
  })

  await t.test('a test touch of ours is in the ring, and in no feature', async (t) => {
    const { result } = await touching
    t.match(result, { port: 22, login: true })
    const touched = await eventually(
      async () =>
        windows
          .slice(touchedFrom)
          .find(
            ({ subject, ownLooks }) => subject.kind === 'decoy' && subject.decoy === two.id && ownLooks !== undefined,
          ),
      'a window with our own look',
      30,
    )
    t.match(touched, { subject: { port: 22 }, missed: 0 })
    t.ok((touched.ownLooks ?? 0) >= 10, `${touched.ownLooks} packets`)
    const { 'session.rate': who, 'partner.kind': partners } = touched.profile
    const seen = partners?.form === 'mix' ? Object.keys(partners.counts).length : Number.NaN
    t.ok(who?.form === 'rate' && who.count === seen && seen <= 1, 'nobody but the other decoy was there')
    t.ok((await inRing(two.id, `tcp port 22 and host ${place.ip}`)).length >= (touched.ownLooks ?? 0))
  })

  await t.test('a part of a ring is fetched, and other programs read it', async (t) => {
    const wish = { name: 'capture' as const, decoy: one.id, mostMb: 1 }
    const told = await capture.fetch(wish)
    await t.rejects(capture.fetch(wish), { code: 'CONFLICT' }, 'one at a time')
    await eventually(async () => (parts.length === told.parts ? true : undefined), 'all parts', 20)
    const path = join(stateDir, 'fetched-by-the-test.pcap')
    await writeFile(path, Buffer.concat(parts.map(({ data }) => Buffer.from(data, 'base64'))))
    const read = (program: string, ...argv: string[]) =>
      execFileSync(program, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
        .split('\n')
        .filter(Boolean)
    t.equal(read('tcpdump', '-n', '-r', path).length, told.packets)
    t.equal(read('tcpdump', '-n', '-r', path, 'tcp', 'dst', 'port', '80', 'and', 'tcp[tcpflags]', '==', '2').length, 8)
    t.equal(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
      told.sha256,
    )
    const past = { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' }
    await eventually(async () => {
      const why = await capture.fetch({ ...wish, ...past }).catch((error: { code: string }) => error.code)
      return why === 'NOT_FOUND' ? true : undefined
    }, 'nothing of another year')
  })

  await t.test('another run of a pod is followed, and its card goes with it', async (t) => {
    const before = podOf(one.id)
    const containers = await engine.containers()
    const pod = containers.find(
      ({ labels }) => labels['marshlight.decoy'] === one.id && labels['marshlight.kind'] === 'pod',
    )
    await engine.stop(pod?.id ?? '', 0)
    await eventually(
      async () => {
        const now = podOf(one.id)
        return now && now.run !== before?.run ? true : undefined
      },
      'another run of the pod',
      30,
    )
    await count(2)
    await eventually(
      async () => {
        try {
          return bannerFrom(segment, one.ip) ? true : undefined
        } catch {
          return undefined
        }
      },
      'it answers again',
      30,
    )
    const from = windows.length
    segment.onNeighbour('python3', '-c', askPages, one.ip, '2')
    t.match((await busy(one.id, 80, from)).profile['response.delay'], { n: 2 })
  })

  await t.test('switched off, nothing looks any more; rings stay for their hours', async (t) => {
    const pids = capture.processes()
    const { observe: _, ...without } = plan(2)
    apply(without)
    await count(0)
    await eventually(
      async () => (pids.some((pid) => existsSync(`/proc/${pid}`)) ? undefined : true),
      'the processes are gone',
      10,
    )
    t.ok((await readdir(ringFolder(one.id))).length > 0)
  })
})
