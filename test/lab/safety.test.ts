import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { makeSafety, type SafetyDeps } from '../../agent/safety/index.ts'
import type { Verdict } from '../../agent/safety/verdict.ts'
import { systemClock } from '../../shared/clock.ts'
import { newId } from '../../shared/ids.ts'
import { silentLog } from '../../shared/log.ts'
import { decoyOf, makeAppliance, phase, planOf, type StateRecord, settled } from './decoys-appliance.ts'
import { makeSegment } from './decoys-segment.ts'

t.setTimeout(120_000)
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()

t.test('a decoy can do nothing it must not; one that can is taken down', async (t) => {
  const segment = makeSegment(t)
  const { agent, engine, records, reported, decoys } = await makeAppliance(t, segment)
  const [good, bad] = [decoyOf(segment, 20, 'attic-nas'), decoyOf(segment, 21, 'cellar-db')]
  await decoys.start(new AbortController().signal)
  decoys.applyPlan(planOf(agent, 1, [good, bad]))
  await reported(settled(1))
  const verdicts = await startSafety(t, {
    engine,
    report: async (_, some) => void records.push(...(some as readonly StateRecord[])),
    decoys: () => decoys.standing(),
    takeDown: decoys.takeDown,
  })
  for (const { id } of [good, bad])
    for (const part of ['pod', 'cowrie'])
      t.match(await verdicts.next(`marshlight-${id}-${part}`), { is: 'safe' }, `each try of ${part} failed`)

  // As an administrator's mistake, or a flaw of the pod, would leave it: a way out, and a route for it.
  const pod = `marshlight-${bad.id}-pod`
  const inPod = ['-t', run('docker', 'inspect', '-f', '{{.State.Pid}}', pod), '-n']
  run('nsenter', ...inPod, 'nft', 'insert', 'rule', 'inet', 'marshlight_pod', 'output', 'udp', 'dport', '9', 'accept')
  run('nsenter', ...inPod, 'ip', 'route', 'replace', 'default', 'dev', 'eth0')
  const from = records.length
  t.match(await verdicts.unsafe(), { is: 'unsafe' })
  t.match(await reported(phase(bad.id, 'condemned'), from), { reason: /it could do what no decoy may/ })
  t.match(
    records.find((record) => record.type === 'notice' && record.code === 'DECOY_UNSAFE'),
    { level: 'error', data: { decoy: bad.id } },
  )
  t.notOk(decoys.standing().some(({ decoy }) => decoy === bad.id))
  t.ok(
    decoys.standing().some(({ decoy }) => decoy === good.id),
    'its neighbour stays',
  )
})

t.test('each right too many is found', async (t) => {
  const segment = makeSegment(t)
  const { agent, engine } = await makeAppliance(t, segment)
  const asMade = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--user', '2600:2600']
  const cases: [string, string[], RegExp | undefined][] = [
    ['as it is made', asMade, undefined],
    ['with a right', [...asMade, '--cap-add', 'NET_RAW'], /CapBnd/],
    ['with a root that can be written', ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'], /was written/],
    ['as root with the engine’s own rights', [], /mknod|a device was made|a raw socket/],
  ]
  for (const [what, options, words] of cases) {
    const decoy = newId()
    const name = `safety-${decoy}`
    const labels = [`marshlight.agent=${agent}`, `marshlight.decoy=${decoy}`, 'marshlight.kind=service']
    const given = [...labels.flatMap((label) => ['--label', label]), '--network', 'none', '--entrypoint', 'sleep']
    const user = options.includes('--user') ? [] : ['--user', what.startsWith('as root') ? '0:0' : '2600:2600']
    // A root that can be written is owned by root: there a folder of the service's own account stands for it.
    const owned = what.includes('written') ? ['--tmpfs', '/var:uid=2600'] : []
    t.teardown(() => run('docker', 'rm', '-f', name))
    run(
      'docker',
      'run',
      '-d',
      '--name',
      name,
      ...given,
      ...options,
      ...user,
      ...owned,
      'marshlight/cowrie:dev',
      'infinity',
    )
    const down: string[] = []
    const verdicts = await startSafety(t, {
      engine,
      report: async () => undefined,
      decoys: () => [{ decoy, ip: segment.cidr.replace('0/24', '20'), egress: [] }],
      takeDown: async (_, reason) => void down.push(reason),
    })
    const verdict = await verdicts.next(name)
    if (words) t.match(down[0], words, what)
    else t.match(verdict, { is: 'safe' }, what)
  }
})

async function startSafety(t: Test, deps: Pick<SafetyDeps, 'engine' | 'report' | 'decoys' | 'takeDown'>) {
  const seen: { container: string; verdict: Verdict }[] = []
  const bell = new EventTarget()
  const safety = makeSafety({
    ...deps,
    clock: systemClock,
    log: silentLog,
    everySeconds: 1,
    lookEveryMs: 100,
    onVerdict: (container, verdict) => {
      seen.push({ container, verdict })
      bell.dispatchEvent(new Event('seen'))
    },
  })
  await safety.start(new AbortController().signal)
  t.teardown(() => safety.stop())
  async function find(fits: (one: (typeof seen)[number]) => boolean): Promise<Verdict> {
    for (;;) {
      const found = seen.find(fits)
      if (found) return found.verdict
      await once(bell, 'seen', { signal: AbortSignal.timeout(30_000) })
    }
  }
  return {
    /** The first verdict on a container that is more than not knowing yet. */
    next: (name: string) => find(({ container, verdict }) => container === name && verdict.is !== 'unknown'),
    unsafe: () => find(({ verdict }) => verdict.is === 'unsafe'),
  }
}
