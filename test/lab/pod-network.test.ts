import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { PersonaNetwork, PersonaService } from '../../shared/schemas/persona.ts'
import { personaOf } from './cowrie-persona.ts'
import { eventually } from './cowrie-pod.ts'
import { bannerFrom, decoyOf, makeAppliance, planOf, settled } from './decoys-appliance.ts'
import { makeSegment, type Segment } from './decoys-segment.ts'
import { plugContainer } from './segment-container.ts'

t.setTimeout(180_000)

const windows: PersonaNetwork = {
  stack: 'windows',
  window: 65535,
  mss: 1460,
  windowScale: 8,
  sack: true,
  timestamps: false,
  ecn: false,
  icmpEcho: true,
  closedTcp: 'reset',
  closedUdp: 'unreachable',
}

const common = { version: '4.17', settings: { workgroup: 'OFFICE' } }
const found: PersonaService[] = [
  { kind: 'smb', port: 445, product: 'Samba', ...common },
  { kind: 'netbios', port: 137, product: 'Samba', ...common },
  { kind: 'mdns', port: 5353, product: 'Avahi', version: '0.8', settings: {} },
  { kind: 'llmnr', port: 5355, product: 'Microsoft Windows', version: '10.0', settings: {} },
  { kind: 'tftp', port: 69, product: 'tftpd', version: '', settings: {} },
]

t.test('nmap takes a decoy for what its persona is', async (t) => {
  const segment = makeSegment(t)
  const { agent, reported, decoys } = await makeAppliance(t, segment)
  const [everyone, neighbour] = [255, 9].map((host) => segment.cidr.replace('0/24', String(host))) as [string, string]
  const likeHere = decoyOf(segment, 20, 'attic-nas')
  const other = { persona: '01920000-0000-7000-8000-000000000002' }
  const third = { persona: '01920000-0000-7000-8000-000000000003' }
  const pc = decoyOf(segment, 21, 'desk-7', other)
  const store = decoyOf(segment, 22, 'Store-1', { ...third, services: ['cowrie', 'services'] })
  const personas = [
    personaOf('attic-nas', 1),
    { ...personaOf('desk-7', 1), id: other.persona, ttl: 128, network: windows },
    {
      ...personaOf('Store-1', 1),
      id: third.persona,
      network: { ...windows, stack: 'linux' as const },
      services: found,
    },
  ]
  const heard = await listen(t, segment)
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [likeHere, pc, store], personas))
  t.match(await reported(settled(1)), { outcome: 'applied', count: 3 })
  for (const { ip } of [likeHere, pc]) t.match(bannerFrom(segment, ip), /^SSH-2.0-OpenSSH_9.2p1/)
  const real = await realHost(t, segment, 30)

  await t.test('a Windows decoy says what Windows says when it comes up, and then no more', async (t) => {
    const words = await heard()
    t.match(words, `Request who-has ${pc.ip} tell ${pc.ip}`)
    t.match(words, `${pc.ip}.68 > 255.255.255.255.67`)
    t.match(words, /Hostname.*"desk-7"/)
    t.match(words, `${pc.ip}.137 > ${everyone}.137`)
    // The names as RFC 1001 writes them.
    t.match(words, `EEEFFDELCNDH${'CA'.repeat(9)}AA`)
    t.match(words, `EDEPFCFA${'CA'.repeat(11)}AA`)
    // Each is said three times, since one may be lost; the agent's first `apply` must not cut the later ones off.
    const times = (way: string) => words.split(way).length - 1
    t.ok(times(`${pc.ip}.137 > ${everyone}.137`) >= 9, 'three names, each three times')
    t.ok(times(`${store.ip}.5353 > 224.0.0.251.5353`) >= 3, 'whoever has mDNS makes itself known by it')
    t.throws(() => tryFrom(pc.id, everyone, 137), 'no broadcast is left to the services')
    t.throws(() => tryFrom(pc.id, '224.0.0.251', 5353), 'nor a group to a host without mDNS')
  })

  await t.test(
    'a host with NetBIOS and mDNS answers for its own name, and neighbours that ask all make no session',
    async (t) => {
      const ask = (...args: string[]) => segment.onNeighbour('python3', '-c', askGroup, neighbour, ...args)
      t.match(ask('STORE-1.local', '1'), `${store.ip} 5353 `, 'the group hears it, whatever the case of the name')
      t.match(ask('STORE-1.local', '1'), Buffer.from(store.ip.split('.').map(Number)).toString('hex'))
      t.match(ask('_services._dns-sd._udp.local', '12'), Buffer.from('_smb').toString('hex'))
      t.match(ask('attic-nas.local', '1'), /^silence/)
      segment.onNeighbour('python3', '-c', broadcast, everyone, '137')
      // Who asks all and hears one alone: an old resolver, a NetBIOS node, Windows; and TFTP, which answers from elsewhere.
      const alone = (...args: string[]) => segment.onNeighbour('python3', '-c', askAll, neighbour, ...args).trim()
      const [question, address] = [
        '000000010000000000000773746f72652d31',
        Buffer.from(store.ip.split('.').map(Number)).toString('hex'),
      ]
      t.match(
        alone('224.0.0.251', '5353', `abcd${question}056c6f63616c0000010001`),
        new RegExp(`^${store.ip} 5353 abcd8400.*${address}$`),
      )
      t.match(
        alone('224.0.0.252', '5355', `abcd${question}0000010001`),
        new RegExp(`^${store.ip} 5355 abcd8000.*${address}$`),
      )
      const name = `${Buffer.from('FDFEEPFCEFCNDB').toString('hex')}${'4341'.repeat(8)}4141`
      const wanted = `abcd01100001000000000000${'20'}${name}0000200001`
      t.match(alone(everyone, '137', wanted), new RegExp(`^${store.ip} 137 abcd8580.*${address}$`))
      t.match(alone(everyone, '137', wanted.replace('4644', '4645')), /^silence/)
      const transfer = alone(store.ip, '69', '0001726f75746572006f6374657400')
      t.match(transfer, new RegExp(`^${store.ip} \\d+ 00050001`))
      t.notMatch(transfer, ` 69 `, 'a port of its own')
      t.same(sessionsOf(store.id), [])
      const seen = segment.onNeighbour('nmap', '-n', '-Pn', '-sU', '-p', '137', '--script', 'nbstat', store.ip)
      t.match(seen, /STORE-1<00> +Flags: <unique><active>/)
      t.match(seen, /OFFICE<00> +Flags: <group><active>/)
      for (const [to, port] of [
        ['224.0.0.251', 5354],
        ['224.0.0.252', 5353],
        [neighbour, 5353],
      ] as const)
        t.throws(() => tryFrom(store.id, to, port), `${to} ${port}: the way to the group is no other`)
    },
  )

  const seenOf = scan(segment, [likeHere.ip, real, pc.ip])
  await t.test('a Linux decoy as a real Linux host beside it', async (t) => {
    const [decoy, host] = [seenOf(likeHere.ip), seenOf(real)]
    t.ok(host.tests.T1, 'nmap has a fingerprint of the real host')
    t.same(decoy.tests, host.tests, 'each probe has the same answer')
    // Guesses below the first few differ by the random part of sequence numbers.
    t.equal(decoy.classes[0], host.classes[0])
  })

  await t.test('a Windows decoy as Windows', async (t) => {
    const { tests, classes, best } = seenOf(pc.ip)
    t.match(classes[0], /Windows/)
    t.ok(best.accuracy >= 95, `${best.name} with ${best.accuracy} %`)
    t.match(tests.OPS, 'O1=M5B4NW8NNS')
    t.match(tests.T1, 'T=80')
    t.match(tests.SEQ, 'TI=I')
  })
})

/** All that the neighbour hears of broadcasts, from now on; the answer ends it. */
async function listen(t: Pick<Test, 'teardown'>, segment: Segment): Promise<() => Promise<string>> {
  const filter = ['-nvvA', '-l', '--immediate-mode', '-i', 'h0', 'arp or udp port 67 or udp port 137 or udp port 5353']
  const child = spawn('ip', ['netns', 'exec', segment.neighbour, 'tcpdump', ...filter], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill())
  const words = text(child.stdout)
  // Its first words there: it listens.
  await once(child.stderr, 'data')
  child.stderr.resume()
  return () => {
    child.kill()
    return words
  }
}

/** As a program in the decoy's network would. */
const tryFrom = (decoy: string, to: string, port: number): string =>
  execFileSync('docker', ['exec', `marshlight-${decoy}-cowrie`, 'python3', '-c', broadcast, to, String(port)], {
    encoding: 'utf8',
    stdio: 'pipe',
  })
const broadcast = `import socket, sys
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
out.sendto(b"x", (sys.argv[1], int(sys.argv[2])))`

/** One question to the group of mDNS, and what comes back to the group. */
const askGroup = `import select, socket, struct, sys
own, name, kind = socket.inet_aton(sys.argv[1]), sys.argv[2], int(sys.argv[3])
group = socket.inet_aton("224.0.0.251")
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.bind(("224.0.0.251", 5353))
asking.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + own)
asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
asking.sendto(struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1), ("224.0.0.251", 5353))
heard, _, _ = select.select([asking], [], [], 1)
data, source = asking.recvfrom(2000) if heard else (b"", ("silence", 0))
print(source[0], source[1], data.hex())`

/** One question to a group, to all or to one, and what comes back to the asker alone. */
const askAll = `import select, socket, sys
own, to, port, data = sys.argv[1], sys.argv[2], int(sys.argv[3]), bytes.fromhex(sys.argv[4])
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
asking.bind((own, 0))
asking.sendto(data, (to, port))
heard, _, _ = select.select([asking], [], [], 1)
data, source = asking.recvfrom(2000) if heard else (b"", ("silence", 0))
print(source[0], source[1], data.hex())`

/** Of NetBIOS and mDNS, as the decoy has told them. */
const sessionsOf = (decoy: string): string[] =>
  execFileSync('docker', ['exec', `marshlight-${decoy}-services`, 'sh', '-c', 'cat /marshlight/out/events/*.jsonl'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((line) => /"(netbios|mdns)\.session\.open"/.test(line))

/** A real sshd in a container of the lab, plugged into the segment. */
async function realHost(t: Pick<Test, 'teardown'>, segment: Segment, host: number): Promise<string> {
  const ip = plugContainer(t, segment, { host, services: 'ssh' })
  const greets = async () => bannerFrom(segment, ip) || undefined
  await eventually(() => greets().catch(() => undefined), 'the real sshd answers', 30)
  return ip
}

/** What nmap, which looks at all of them at once, sees of one host's operating system. */
function scan(segment: Segment, ips: readonly string[]) {
  // 22 is open, 9 is closed.
  const options = ['-O', '-n', '-Pn', '-p', '22,9', '--max-retries', '3', '-oX', '-', '-d']
  // What stands before the first are hints of addresses.
  const hosts = segment
    .onNeighbour('nmap', ...options, ...ips)
    .split('<host ')
    .slice(1)
  return (ip: string) => seen(hosts.find((host) => host.includes(`<address addr="${ip}"`)) ?? '')
}

/** The answers by test, without what is random, and nmap's guesses. */
function seen(xml: string) {
  const print = (/<osfingerprint fingerprint="([^"]*)"/.exec(xml)?.[1] ?? '').replace(/&#xa;OS:/g, '')
  const tests = Object.fromEntries(
    [...print.matchAll(/(SEQ|OPS|WIN|ECN|T[1-7]|U1|IE)\(([^)]*)\)/g)].map(([, name = '', values = '']) => [
      name,
      values
        .split('%')
        .filter((value) => !/^(SP|ISR|GCD|TS)=/.test(value))
        .join('%'),
    ]),
  )
  const classes = [...xml.matchAll(/<osclass [^>]*osfamily="([^"]*)"/g)].map(([, family]) => family)
  const match = /<osmatch name="([^"]*)" accuracy="(\d+)"/.exec(xml)
  return { tests, classes, best: { name: match?.[1] ?? '', accuracy: Number(match?.[2] ?? 0) } }
}
