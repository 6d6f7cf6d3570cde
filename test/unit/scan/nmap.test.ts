import { readFileSync } from 'node:fs'
import t from 'tap'
import { nmapArguments, systemNmap } from '../../../agent/scan/nmap-run.ts'
import { parseNmapXml, xmlLimit } from '../../../agent/scan/nmap-xml.ts'
import { seededRandom } from '../../../shared/random.ts'
import { hostPort } from '../../../shared/schemas/inventory.ts'

const sshd = readFileSync(new URL('./fixtures/sshd-detail.xml', import.meta.url), 'utf8')
const host = (inside: string, head = '<status state="up"/><address addr="198.18.1.9" addrtype="ipv4"/>') =>
  `<nmaprun><host>${head}${inside}</host><runstats><finished exit="success"/></runstats></nmaprun>`
const port = (inside: string, id = '22') =>
  `<ports><port protocol="tcp" portid="${id}"><state state="open"/>${inside}</port></ports>`

t.test('what nmap learnt of a real sshd comes through whole', async (t) => {
  const { hosts, scanned, finished } = parseNmapXml(sshd)
  t.ok(finished)
  t.equal(scanned, '1,3-4,22,80')
  t.match(hosts, [
    {
      ip: '198.18.40.10',
      mac: '86:20:ab:32:41:e5',
      ports: [
        {
          port: 22,
          product: 'OpenSSH',
          version: '9.2p1 Debian 2+deb12u10',
          cpe: ['cpe:/a:openbsd:openssh:9.2p1', /linux/],
        },
      ],
      os: [{ name: 'Linux 5.3 - 5.4', family: 'Linux', accuracy: 96, cpe: 'cpe:/o:linux:linux_kernel:5' }, {}, {}],
    },
  ])
  t.match(hosts[0]?.ports[0]?.scripts, {
    banner: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10',
    'ssh2-enum-algos': /sntrup761x25519-sha512@openssh\.com\n[\s\S]*compression_algorithms/,
  })
})

t.test('an open port without a service, a host without a MAC and a closed port are taken as they are', async (t) => {
  t.match(parseNmapXml(host(port(''))).hosts, [{ ip: '198.18.1.9', ports: [{ port: 22, proto: 'tcp' }] }])
  const closed = host(port('').replace('"open"', '"closed"'))
  t.same(parseNmapXml(closed).hosts[0]?.ports, [])
  t.same(parseNmapXml(host('', '<status state="down"/>')).hosts, [])
  t.same(parseNmapXml(host('', '<status state="up"/>')).hosts, [])
  t.same(parseNmapXml(host(port('', '70000'))).hosts[0]?.ports, [])
})

t.test('what a host chose is bounded, decoded once, and names nothing but itself', async (t) => {
  const long = 'A'.repeat(10_000)
  const service = `<service name="x" method="probed" product="${long}" version="${long}" extrainfo="${long}"/>`
  const script = `<script id="banner" output="&amp;lt;b&#x1b;[2J${long}"/><script id="__proto__" output="x"/>`
  const found = parseNmapXml(host(port(service + script))).hosts[0]?.ports[0]
  t.ok(hostPort.safeParse(found).success)
  t.match(found?.scripts?.banner, /^&lt;b\[2JA+$/)
  t.same(Object.keys(found?.scripts ?? {}), ['banner'])
})

t.test('broken, foreign and huge output is refused by name; broken bits of it never throw anything else', async (t) => {
  for (const bad of ['', 'Starting Nmap', '<html></html>', `<nmaprun>${' '.repeat(xmlLimit)}`])
    t.throws(() => parseNmapXml(bad), { code: 'SCAN_FAILED' })
  const random = seededRandom('nmap')
  for (let round = 0; round < 400; round++) {
    const at = Math.floor(random() * sshd.length)
    const cut = random() < 0.5 ? sshd.slice(0, at) : sshd.slice(0, at) + sshd.slice(at + Math.floor(random() * 40))
    try {
      for (const { ports } of parseNmapXml(cut).hosts) for (const one of ports) hostPort.parse(one)
    } catch (error) {
      if ((error as { code?: string }).code !== 'SCAN_FAILED') t.fail(`cut at ${at}: ${error}`)
    }
  }
  t.notOk(parseNmapXml(sshd.replace('exit="success"', 'exit="error"')).finished)
})

const job = { options: ['-sn'], targets: ['198.18.1.0/24'], exclude: ['198.18.1.1'], nic: 'eth0', timeoutMs: 5_000 }

t.test('targets stand behind two dashes and can be nothing but addresses and networks', async (t) => {
  const argv = nmapArguments(job)
  t.same(argv.slice(argv.indexOf('--')), ['--', '198.18.1.0/24'])
  for (const bad of [
    '-iL/etc/passwd',
    '--script=x',
    '198.18.1.1 -oN x',
    'example.org',
    '198.18.1.1-20',
    '',
    '198.18.1.0/33',
  ]) {
    t.throws(() => nmapArguments({ ...job, targets: [bad] }), { code: 'TARGET_OUTSIDE' })
    t.throws(() => nmapArguments({ ...job, exclude: [bad] }), { code: 'TARGET_OUTSIDE' })
  }
  t.throws(() => nmapArguments({ ...job, targets: [] }), { code: 'TARGET_OUTSIDE' })
})

t.test('nmap refusing its arguments is told with its words, and an aborted run with the reason', async (t) => {
  const wrong = { ...job, options: ['--no-such-option'], targets: ['127.0.0.1'], exclude: [], nic: 'lo' }
  await t.rejects(systemNmap(wrong, new AbortController().signal), {
    code: 'SCAN_FAILED',
    message: /no-such-option|exit code/,
  })
  await t.rejects(systemNmap(wrong, AbortSignal.abort(new Error('enough'))), { message: 'enough' })
})
