import { readFileSync } from 'node:fs'
import t from 'tap'
import { answerersIn } from '../../../agent/audit/probes/arp.ts'
import { readSynack } from '../../../agent/audit/probes/packets.ts'
import { sshProduct } from '../../../agent/audit/probes/services.ts'
import { type Answers, judgeSession, questions, secondsUp } from '../../../agent/audit/probes/session-facts.ts'
import { sameAnswer } from '../../../agent/audit/probes/ssh-odd.ts'
import { readTelnet } from '../../../agent/audit/probes/telnet.ts'
import { probes } from '../../../agent/audit/registry.ts'
import { readHello } from '../../../agent/audit/ssh-hello.ts'
import { isAmong } from '../../../agent/audit/typical.ts'
import weights from '../../../agent/audit/weights.json' with { type: 'json' }
import { auditScore } from '../../../shared/audit-score.ts'
import { personaOf } from '../../lab/cowrie-persona.ts'

/** A KEXINIT as RFC 4253 has it, with these lists. */
function kexInit(lists: readonly string[]): Buffer {
  const names = lists.flatMap((list) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(list.length)
    return [length, Buffer.from(list)]
  })
  const payload = Buffer.concat([Buffer.from([20]), Buffer.alloc(16, 7), ...names, Buffer.alloc(5)])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + 1 + 4)
  head[4] = 4
  return Buffer.concat([head, payload, Buffer.alloc(4)])
}

t.test('a hello is read as far as it came', async (t) => {
  const packet = kexInit(['a,b', 'ssh-ed25519', 'c1', 'c2', 'm1', 'm2', 'none', 'none', '', ''])
  const line = Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n')
  const { line: said, offer } = readHello(Buffer.concat([line, packet]))
  t.equal(said, 'SSH-2.0-OpenSSH_9.2p1\r\n')
  t.same(offer, { kex: ['a', 'b'], hostKeys: ['ssh-ed25519'], ciphers: ['c2'], macs: ['m2'], compression: ['none'] })
  for (let cut = 0; cut < packet.length; cut++)
    t.equal(readHello(Buffer.concat([line, packet.subarray(0, cut)])).offer, undefined, `cut at ${cut}`)
})

t.test('answers that lost their end on the way are the same, others are not', async (t) => {
  const whole = 'text: "Invalid.\\r\\n"'
  t.ok(sameAnswer(whole, 'text: "Invalid."'))
  t.notOk(sameAnswer(whole, 'text: "Invalid.\\n"'), 'another line end')
  t.notOk(sameAnswer(whole, 'closed'))
})

t.test('lines of other programs', async (t) => {
  const line =
    'IP 198.18.1.5.22 > 198.18.1.9.50000: Flags [S.], seq 1, ack 2, win 65160, options [mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7], length 0'
  t.same(readSynack(line), { window: 65160, mss: 1460, scale: 7, layout: 'mss sackOK TS nop wscale' })
  t.equal(readSynack(line.replace('[S.]', '[.]')), undefined)
  t.same(answerersIn('Unicast reply from 198.18.1.5 [00:0C:29:00:00:01]  0.6ms\nReceived 1'), ['00:0c:29:00:00:01'])
  const telnet = Buffer.from([255, 253, 24, 255, 251, 1, ...Buffer.from('login: ')])
  t.same(readTelnet(telnet), { options: ['253 24', '251 1'], text: 'login: ' })
  t.same(sshProduct('SSH-2.0-OpenSSH_9.2p1 Debian-2'), { product: 'OpenSSH', version: '9.2p1' })
  t.same(sshProduct('SSH-2.0-dropbear_2020.81'), { product: 'Dropbear', version: '2020.81' })
  for (const [words, seconds] of [
    [' 08:00:01 up 3 days,  2:05,  1 user,  load average: 0.00', 3 * 86_400 + 7500],
    ['up 12 min, load', 720],
    ['up 1 day, 4 min,', 86_640],
    ['up 10:00,', 36_000],
  ] as const)
    t.equal(secondsUp(words), seconds, words)
})

t.test('times lie among neighbours or they do not', async (t) => {
  const neighbour = [12.9, 13.1, 13.0, 13.4, 13.2]
  t.ok(isAmong([13.5, 12.8, 13.1], [neighbour]))
  t.notOk(isAmong([1000, 1000.2, 1000.1], [neighbour]))
  t.ok(isAmong([40, 55, 70], [neighbour, [48, 62, 51]]), 'one that is alike is enough')
})

t.test('a session that agrees with itself is found equal, one that does not is told where', async (t) => {
  const persona = personaOf('attic-nas', 1)
  const decoy = { ip: '198.18.1.20', mac: 'd4:ae:52:10:00:14' }
  const out: Partial<Record<keyof typeof questions, string>> = {
    uname: 'Linux 6.1.0-28-amd64 x86_64',
    version: 'Linux version 6.1.0-28-amd64 (gcc)',
    hostname: 'attic-nas',
    etcHostname: 'attic-nas',
    addresses: `link/ether ${decoy.mac}\n inet ${decoy.ip}/24`,
    meminfo: 'MemTotal:        8146432 kB',
    free: 'Mem:        8146432   1',
    uptime: 'up 2 days,  1:00, 1 user',
    procUptime: '176400.10 1',
    processes: Array(9).fill('root 1 /sbin/init').join('\n'),
    self: 'lrwxrwxrwx 1 root root 0 /proc/self/exe -> /usr/bin/ls',
    root: '.\n..\nbin\netc',
    cpus: '6',
    nproc: '6',
    arithmetic: '42',
    printf: '00042',
    head: '2',
    id: '0\nroot',
    neighbours: 'IP address  HW type',
    release: `PRETTY_NAME="${persona.os.prettyName}"`,
  }
  const answers = Object.fromEntries(
    Object.keys(questions).map((name) => [name, { out: out[name as keyof typeof out] ?? '', err: '', code: 0 }]),
  ) as Answers
  answers.nothing.code = 127
  answers.false.code = 1
  t.same(
    judgeSession(answers, persona, decoy).filter(({ verdict }) => verdict !== 'equal'),
    [],
  )
  answers.uptime.out = 'up 1 min'
  answers.self.out = '/proc/self/exe -> /usr/bin/python3.11'
  answers.root.out += '\n.dockerenv'
  const told = judgeSession(answers, persona, decoy).filter(({ verdict }) => verdict !== 'equal')
  t.same(told.map(({ probe }) => probe).sort(), ['session.container', 'session.self', 'session.uptime'])
})

t.test('each weight has its reason, each probe its weight', async (t) => {
  const sources = [
    'ssh-identification',
    'ssh-algorithms',
    'ssh-auth',
    'telnet',
    'services',
    'system',
    'packets',
    'timing',
  ]
  const more = ['hardware', 'arp', 'names', 'session', 'session-facts', 'safety']
  const text = [...sources, ...more]
    .map((name) => readFileSync(new URL(`../../../agent/audit/probes/${name}.ts`, import.meta.url), 'utf8'))
    .join('\n')
  const named = [
    ...text.matchAll(/'((?:ssh|telnet|services|system|packets|timing|hardware|arp|names|session|safety)\.[a-z-]+)'/g),
  ]
  const missing = [...new Set(named.map(([, name]) => name as string))].filter(
    (name) => !Object.hasOwn(weights, name) && !probes.some((probe) => probe.name === name),
  )
  t.same(missing, [])
  for (const [name, { weight, because }] of Object.entries(weights)) t.ok(weight > 0 && because.length > 10, name)
})

t.test('the score is the weight of what was equal', async (t) => {
  const finding = (verdict: 'equal' | 'differs' | 'unknown', weight: number) => ({ verdict, weight })
  t.equal(auditScore([finding('equal', 6), finding('differs', 2), finding('unknown', 10)]), 75)
  t.equal(auditScore([finding('unknown', 10)]), 0, 'nothing to compare is no praise')
})
