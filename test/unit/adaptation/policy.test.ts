import t from 'tap'
import { adaptPersona } from '../../../controller/adaptation/adapt-persona.ts'
import { assign } from '../../../controller/adaptation/assign.ts'
import { type Conduct, classOf } from '../../../controller/adaptation/attacker-class.ts'
import { armsFelt, driftFelt } from '../../../controller/adaptation/felt.ts'
import { type Interaction, interactionOf } from '../../../controller/adaptation/interaction.ts'
import { isProbing, signsIn } from '../../../controller/adaptation/probing.ts'
import { armsWithin, judge, type Rails, type Wish } from '../../../controller/adaptation/rails.ts'
import { type Arm, defaultRules } from '../../../controller/drift/bandit.ts'
import { effectAt, generateDrift, reachOf } from '../../../controller/drift/index.ts'
import { pick, seededRandom } from '../../../shared/random.ts'
import { type DriftType, drift, type Intensity, mostDelayMs, mostShare } from '../../../shared/schemas/drift.ts'
import { calm, drawProfile } from '../../drift/simulated-profiles.ts'

const nobody: Conduct = { sessions: 0, tries: 0, terminal: false, commands: [], requests: [] }
const typed = (lines: readonly string[], pauses: readonly number[]): Conduct['commands'] => {
  let atMs = 0
  return lines.map((line, i) => {
    atMs += pauses[i % pauses.length] ?? 0
    return { session: 'one', atMs, line }
  })
}

t.test('attackers are told apart by what they do', async (t) => {
  const looks = ['id', 'uname -a', 'ls -la /var', 'cat /etc/passwd', 'ps aux', 'w']
  t.equal(classOf(nobody), 'newcomer')
  t.equal(classOf({ ...nobody, sessions: 3 }), 'scanner')
  t.equal(classOf({ ...nobody, sessions: 9, tries: 200 }), 'brute-forcer')
  t.equal(classOf({ ...nobody, sessions: 1, tries: 1, commands: typed(looks, [40, 60]) }), 'bot')
  t.equal(
    classOf({ ...nobody, sessions: 1, terminal: true, commands: typed(looks, [2000]) }),
    'bot',
    'a timer is no hand, whatever its terminal',
  )
  const hand = typed(looks, [900, 4200, 1500, 9000, 2600])
  t.equal(classOf({ ...nobody, sessions: 1, commands: hand }), 'hands-on')
  t.equal(classOf({ ...nobody, sessions: 1, terminal: true, commands: hand.slice(0, 1) }), 'hands-on')
  t.equal(classOf({ ...nobody, sessions: 1, commands: hand.slice(0, 1) }), 'bot', 'one command without a terminal')
  const page = (urls: readonly string[], pauses: readonly number[]) => ({
    ...nobody,
    sessions: 1,
    requests: typed(urls, pauses),
  })
  const urls = Array.from({ length: 24 }, (_, i) => `/page/${i}`)
  t.equal(classOf(page(urls, [4000, 30, 12, 400, 9000, 20, 2600, 70])), 'hands-on', 'a browser, and somebody who reads')
  t.equal(classOf(page(urls, [120, 400, 90, 900])), 'scanner')
  t.equal(classOf(page(urls, [5000])), 'scanner', 'a timer')
  t.equal(classOf({ ...page(urls, [4000, 9000, 2600]), tries: 60 }), 'brute-forcer', 'a slow one')
  t.equal(classOf(page(['/', '/t-pot'], [10])), 'prober')
  const probes = ['cat /proc/1/cgroup', 'ls -la /.dockerenv; systemd-detect-virt']
  t.equal(classOf({ ...nobody, sessions: 1, commands: typed(probes, [20]) }), 'prober')
})

t.test('what every bot does is no probing, and no line makes the signs slow', async (t) => {
  const mirai = ['enable', 'system', 'shell', 'sh', '/bin/busybox ECCHI', 'cat /proc/mounts; /bin/busybox VDOSS']
  t.notOk(isProbing(signsIn(mirai)))
  t.notOk(isProbing(signsIn(['cat /proc/cpuinfo', 'uname -a', 'nproc', 'cat /etc/passwd'])))
  t.ok(isProbing(signsIn(['ls /opt/cowrie'])))
  const began = performance.now()
  for (const bit of ['busybox A', '/proc/', ';  time', 'date +%', '/sys/class/', ' ']) signsIn([bit.repeat(4096)])
  t.ok(performance.now() - began < 200)
})

const calmly: Interaction = {
  ...{ arm: 'none', probes: [], leftEarly: false, stayed: false, cameBack: false },
  ...{ errors: 0, repeated: 0, otherWays: 0, files: [] },
}
const shown = { files: [{ path: '/root/backup.sql' }] as never }

t.test('conduct changes drift and persona, with its reason', async (t) => {
  const table: [string, Partial<Interaction>, Arm | undefined, boolean][] = [
    ['nothing of note', { arm: 'latency.low' }, undefined, false],
    ['ignores failures: more of them', { arm: 'error.low', errors: 2, repeated: 1 }, 'error.medium', false],
    ['no failure was told, so none was ignored', { arm: 'error.low', repeated: 1 }, undefined, false],
    ['strongest stays strongest', { arm: 'error.high', errors: 2, repeated: 1 }, undefined, false],
    ['goes round failures', { arm: 'error.medium', otherWays: 1 }, 'latency.medium', false],
    ['sees through waits', { arm: 'latency.high', probes: ['takes-the-time'] }, 'alteration.high', false],
    ['holds contents together', { arm: 'alteration.low', otherWays: 1 }, 'error.low', false],
    ['leaves early', { arm: 'latency.medium', leftEarly: true }, 'latency.low', false],
    ['leaves early at the least', { arm: 'latency.low', leftEarly: true }, 'none', false],
    ['tests for decoys', { probes: ['a', 'b'] }, undefined, true],
    ['tests for decoys, meets failures', { arm: 'error.high', probes: ['a', 'b'] }, 'latency.low', true],
    ['stays and comes back', { arm: 'latency.low', stayed: true, cameBack: true }, 'latency.medium', true],
    ['reads what was planted', { arm: 'latency.low', files: ['/root/backup.sql'] }, 'alteration.low', false],
    ['reads what stands everywhere', { arm: 'latency.low', files: ['/etc/passwd'] }, undefined, false],
  ]
  for (const [name, more, arm, persona] of table) {
    const made = adaptPersona(shown, { ...calmly, ...more })
    t.equal(made?.drift, arm, name)
    t.equal(made?.persona !== undefined, persona, `${name}: persona`)
    if (made) t.ok(made.because.length > 10)
  }
})

t.test('an interaction is read from lines as they were typed', async (t) => {
  const came = { arm: 'error.low', seconds: 90, left: false, inside: true, cameBack: false, errors: 1 } as const
  const visited = { ...came, felt: 1, lines: [], requests: [] }
  t.match(interactionOf({ ...visited, lines: ['cat /etc/shadow', 'cat /etc/shadow', 'head -n 1 /etc/shadow'] }), {
    repeated: 1,
    otherWays: 1,
    files: ['/etc/shadow'],
    leftEarly: false,
    stayed: false,
  })
  t.match(interactionOf({ ...visited, lines: ['wget http://198.51.100.7/x', 'curl -O http://198.51.100.7/x'] }), {
    repeated: 0,
    otherWays: 1,
    files: [],
  })
  t.equal(interactionOf({ ...visited, seconds: 5, lines: ['id'] }).leftEarly, false, 'who is still there left not')
  t.equal(interactionOf({ ...visited, seconds: 5, left: true, lines: ['id'] }).leftEarly, true)

  const pages = { ...visited, inside: false, requests: ['/', '/admin/?x=1', '/admin/?x=1', '/.env'] }
  t.match(interactionOf(pages), { repeated: 1, files: ['/', '/admin/', '/.env'], leftEarly: false, stayed: false })
  t.match(interactionOf({ ...pages, requests: ['/cowrie'] }), { probes: ['names-a-honeypot'] })
  const look = { ...pages, seconds: 1, left: true, requests: ['/'] }
  t.equal(interactionOf(look).leftEarly, true, 'he met drift, and went')
  t.equal(interactionOf({ ...look, felt: 0 }).leftEarly, false, 'one look is all that most come for')
  t.ok(interactionOf({ ...pages, requests: Array.from({ length: 90 }, (_, i) => `/${i}`) }).stayed)
})

t.test('no conduct and no drawing leads beyond the bounds within which a decoy is of use', async (t) => {
  const random = seededRandom('bounds')
  const names = ['takes-the-time', 'tests-what-is-written', 'reads-mounts', 'names-a-honeypot']
  const chance = () => random() < 0.5
  for (let i = 0; i < 3000; i++) {
    const arm = pick(random, defaultRules.arms)
    const interaction: Interaction = {
      ...{ arm, probes: names.filter(chance), leftEarly: chance(), stayed: chance(), cameBack: chance() },
      ...{ errors: chance() ? 3 : 0, repeated: chance() ? 1 : 0, otherWays: chance() ? 1 : 0 },
      files: chance() ? ['/root/backup.sql'] : [],
    }
    const to = adaptPersona(shown, interaction)?.drift
    if (to === undefined || to === 'none') continue
    if (!defaultRules.arms.includes(to)) t.fail(`${arm} became ${to}, which nobody may choose`)
    const [type, intensity] = to.split('.') as [DriftType, Intensity]
    const baseline = i % 2 === 0 ? {} : drawProfile(calm, 20, random)
    const made = generateDrift(baseline, type, intensity, `seed ${i}`)
    if (!drift.safeParse(made).success) t.fail(`${to} is beyond the bounds`)
    for (const effect of made.effects) {
      if ('share' in effect && effect.share > mostShare) t.fail(`a share of ${effect.share}`)
      if ('ms' in effect && effect.ms > mostDelayMs) t.fail(`a wait of ${effect.ms} ms`)
    }
  }
  t.pass('3000 of them')
})

t.test('rails: by hand wins, so many an hour, not again at once', async (t) => {
  const rails: Rails = {
    ...{ types: ['latency'], strongest: 'medium', changesPerHour: 5, viewsPerDecoy: 3 },
    ...{ cooldownMinutes: 10, personaCooldownMinutes: 60 },
  }
  const random = seededRandom('rails')
  for (let i = 0; i < 2000; i++) {
    const wish: Wish = {
      kind: pick(random, ['view', 'move', 'persona'] as const),
      nowMs: 1e9,
      madeInLastHour: Math.floor(random() * 8),
      views: Math.floor(random() * 5),
      ...(random() < 0.7 && { lastMs: 1e9 - Math.floor(random() * 90 * 60_000) }),
      byHand: random() < 0.3,
    }
    const { ok } = judge(wish, rails)
    if (wish.byHand && wish.kind !== 'persona' && ok) t.fail('changed what an administrator set')
    if (wish.madeInLastHour >= 5 && ok) t.fail('more than so many an hour')
    if (wish.kind === 'view' && wish.views >= 3 && ok) t.fail('more views than so many')
    const rest = wish.lastMs === undefined ? Number.POSITIVE_INFINITY : (wish.nowMs - wish.lastMs) / 60_000
    if (wish.kind === 'move' && rest < 10 && ok) t.fail('moved again at once')
    if (wish.kind === 'persona' && rest < 60 && ok) t.fail('another face again at once')
    if (!wish.byHand && wish.madeInLastHour < 5 && wish.views < 3 && rest >= 60) t.ok(ok)
  }
  t.same(armsWithin(defaultRules.arms, rails), ['none', 'latency.low', 'latency.medium'])
})

t.test('the control group is drawn by lot alone, a tenth of all', async (t) => {
  const random = seededRandom('lot')
  const rules = { types: ['latency', 'error'], strongest: 'high', controlShare: 0.1 } as const
  const drawn = Array.from({ length: 4000 }, (_, i) =>
    assign(
      { conduct: { ...nobody, sessions: i % 3, tries: i % 7 }, service: 'ssh', beliefsOf: () => ({}) },
      random,
      rules,
    ),
  )
  const control = drawn.filter(({ group }) => group === 'control')
  t.ok(Math.abs(control.length / 4000 - 0.1) < 0.015, `${control.length} of 4000`)
  t.ok(control.every(({ arm }) => arm === 'none'))
  t.notOk(drawn.some(({ arm }) => arm.startsWith('alteration')))
})

t.test('nobody is given what cannot be felt at the service where he is', async (t) => {
  const random = seededRandom('felt')
  const rules = { types: ['latency', 'alteration', 'error'], strongest: 'high', controlShare: 0.02 } as const
  for (const service of ['ssh', 'telnet', 'http', 'https', 'redis', 'smb', 'mysql', 'snmp', 'ntp', 'services']) {
    const reach = reachOf(service) ?? 'tcp'
    const types = new Set(armsFelt(defaultRules.arms, service).map((arm) => arm.split('.')[0]))
    t.equal(types.has('alteration'), ['ssh', 'telnet', 'http', 'redis'].includes(service), service)
    t.ok(types.has('none') && types.has('latency') && types.has('error'))
    for (let i = 0; i < 60; i++) {
      const { arm } = assign({ conduct: nobody, service, beliefsOf: () => ({}) }, random, rules)
      if (!types.has(arm.split('.')[0] ?? '')) t.fail(`${arm} at ${service}`)
      if (arm === 'none') continue
      const made = driftFelt({}, arm, `seed ${i}`, service)
      t.same(driftFelt({}, arm, `seed ${i}`, service), made)
      for (const effect of made?.effects ?? [undefined]) {
        const words = effect && `${effect.type} ${'form' in effect ? effect.form : ''}`
        if (!effect || effectAt(effect, reach) === undefined || words === 'latency load')
          t.fail(`${arm} at ${service}: ${JSON.stringify(effect)}`)
      }
    }
  }
})
