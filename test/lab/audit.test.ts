import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { auditReport } from '../../shared/schemas/audit.ts'
import { CleanUp } from '../bench/clean-up.ts'
import { plugHosts } from '../bench/segment-hosts.ts'
import { builtPersona, makeAuditLab, verdictOf } from './audit-lab.ts'
import { eventually } from './cowrie-pod.ts'
import { decoyOf, makeAppliance, phase, planOf } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'
import { plugStockCowrie } from './stock-cowrie-host.ts'

// Three audits of half a minute each, beside containers that come and go.
t.setTimeout(300_000)

/** The network namespaces of audits on this machine. lsns fails where a process goes while it looks. */
const namespaces = () =>
  new Set(
    spawnSync('lsns', ['-t', 'net', '-n', '-o', 'NS,COMMAND'], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((line) => /audit-probe|unshare/.test(line)),
  )

t.test('an audit from a neighbour’s place', async (t) => {
  const segment = makeSegment(t)
  const cleanUp = new CleanUp()
  t.teardown(() => cleanUp.run())
  await plugHosts(cleanUp, segment, ['ssh', 'ssh'])
  const at = (host: number) => segment.cidr.replace('0/24', String(host))
  const beside = [20, 21].map((host) => ({ ip: at(host), names: [], ports: [22], systemFamily: 'Linux' }))
  const persona = await builtPersona('debian-12', 'attic-web')
  const { ssh } = persona
  if (!ssh) throw new Error('a Debian server without SSH')
  const wrong = { ...persona, version: 2, ttl: 128, ssh: { ...ssh, banner: 'SSH-2.0-OpenSSH_7.4' } }
  const like = { persona: persona.id, mac: `${persona.mac.oui}:10:00:28` }
  const right = decoyOf(segment, 40, persona.hostname, like)
  const odd = decoyOf(segment, 41, persona.hostname, { ...like, mac: '00:1b:a9:10:00:29' })
  const stock = decoyOf(segment, 42, persona.hostname, { ...like, mac: `${persona.mac.oui}:10:00:2a` })
  plugStockCowrie(t, segment, { address: stock.ip, mac: stock.mac })
  const { agent, decoys, reported } = await makeAppliance(t, segment)
  await decoys.start(AbortSignal.timeout(280_000))
  decoys.applyPlan(planOf(agent, 1, [right, { ...odd, personaVersion: 2 }], [persona, wrong]))
  await Promise.all([reported(phase(right.id, 'ready')), reported(phase(odd.id, 'ready'))])
  // What is audited against: all three are to be that one persona.
  const plan = planOf(agent, 1, [right, odd, stock], [persona])
  const lab = makeAuditLab(segment, () => plan)
  const before = namespaces()

  const ours = await lab.audit(right.id, lab.fromAt(100), beside)
  // Two appliances on the segment: one makes its audits one after the other.
  const another = makeAuditLab(segment, () => plan)
  const [wrongly, theirs] = await Promise.all([
    lab.audit(odd.id, lab.fromAt(101), beside),
    another.audit(stock.id, another.fromAt(102), beside),
  ])
  t.comment(`ours ${ours.score}, wrong persona ${wrongly.score}, stock ${theirs.score}`)
  t.ok(auditReport.safeParse(ours).success, 'the report is one that a controller takes')
  t.same(ours.beside, [at(20), at(21)])
  for (const probe of [
    'arp.one',
    'hardware.vendor',
    'system.ttl',
    'ssh.identification',
    'session.kernel',
    'services.version',
  ])
    t.equal(verdictOf(ours, probe), 'equal', `${probe} of ours`)
  for (const probe of ['system.ttl', 'ssh.identification', 'hardware.vendor', 'services.version'])
    t.equal(verdictOf(wrongly, probe), 'differs', `${probe} of the wrong persona`)
  for (const probe of ['ssh.kex', 'ssh.identification', 'session.kernel', 'session.hostname', 'session.lasting'])
    t.equal(verdictOf(theirs, probe), 'differs', `${probe} of stock Cowrie`)
  t.ok(ours.score > wrongly.score, 'a persona that is not kept costs')
  t.ok(ours.score > theirs.score + 10, 'stock Cowrie is far behind')
  t.same(namespaces(), before, 'no network namespace is left')
  t.throws(() => segment.onNeighbour('arping', '-c', '1', '-w', '1', '-I', 'h0', at(100)), 'nobody has the address now')

  const taken = lab.audits.touch({
    name: 'touch',
    decoy: right.id,
    from: lab.fromAt(20),
    username: 'mabcdef01',
    password: 'xabcdef01',
  })
  await t.rejects(taken, { code: 'ADDRESS_TAKEN' }, 'an address of a real host is not used')
  const touched = await lab.audits.touch({
    name: 'touch',
    decoy: right.id,
    from: lab.fromAt(103),
    username: 'mabcdef01',
    password: 'xabcdef01',
  })
  t.match(touched, { ok: true, result: { port: 22, login: true } })
})

t.test('an agent that is killed leaves nothing of an audit', async (t) => {
  const segment = makeSegment(t)
  const before = namespaces()
  const runner = spawn(process.execPath, [join(import.meta.dirname, 'audit-runner.ts'), segment.nic, segment.cidr], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  t.teardown(() => runner.kill('SIGKILL'))
  await eventually(
    async () => (namespaces().size > before.size ? true : undefined),
    'an audit has a place of its own',
    20,
  )
  runner.kill('SIGKILL')
  await eventually(async () => (namespaces().size <= before.size ? true : undefined), 'the place is gone', 20)
  t.throws(() => execFileSync('ip', ['link', 'show', 'marsh-audit'], { stdio: 'pipe' }), 'no card is left')
})
