import t from 'tap'
import type { Current, Held, HeldPart } from '../../../agent/updates/held.ts'
import { nothingHeld } from '../../../agent/updates/held.ts'
import { plan } from '../../../agent/updates/plan.ts'
import type { PlanRules, Seen, Step } from '../../../agent/updates/steps.ts'
import { arch, desiredOf, makeRelease } from './box.ts'

const rules: PlanRules = { steadyMs: 5000, marginMs: 1000, attempts: 3 }
const hash = 'a'.repeat(64)
const desired = desiredOf(makeRelease('2.0.0', 6, [{ component: 'agent', file: 'a.deb', content: Buffer.from('x') }]))
const { rollout } = desired
const part: HeldPart = {
  ...{ component: 'agent', arch, version: '2.0.0', file: 'a.deb', bytes: 100, sha256: hash },
  ...{ stage: 'wanted', again: false },
}
const current = (o: Partial<Current> = {}): Current => ({
  ...{ rollout, version: '2.0.0', sequence: 6, source: 'plan', phase: 'fetching', parts: [part] },
  ...{ confirmWithinSeconds: 30, attempts: 0, ...o },
})
const seen = (held: Partial<Held>, o: Partial<Seen> = {}): Seen => ({
  ...{ held: { ...nothingHeld, ...held }, launcher: { folders: [] }, running: { arch, agent: '1.0.0' }, bytes: {} },
  ...{ env: { runs: 'package', base: '1' }, ...o },
})
const settled = [{ rollout, version: '2.0.0', phase: 'rolled-back' as const }]
const onTrial = { env: { runs: '2.0.0', base: '1', trial: rollout } }
const trial = (o: Partial<Current> = {}) => ({
  current: current({ phase: 'trial', parts: [{ ...part, stage: 'installed' }], ...o }),
})

const cases: [
  what: string,
  of: Seen,
  wanted: typeof desired | undefined,
  now: number,
  first: Partial<Step> | undefined,
][] = [
  ['nothing is wanted', seen({}), undefined, 0, undefined],
  ['a release is wanted', seen({}), desired, 0, { do: 'begin', source: 'plan' }],
  ['one that went back is not begun again', seen({ settled }), desired, 0, undefined],
  [
    'one from a stick comes first',
    seen({}, { offline: { ...desired, rollout: hash } }),
    desired,
    0,
    { do: 'begin', source: 'offline' },
  ],
  ['and is forgotten when it is over', seen({ settled }, { offline: desired }), undefined, 0, { do: 'forgetOffline' }],
  ['the plan took it back', seen({ current: current() }), undefined, 0, { do: 'abandon' }],
  ['another rollout is wanted', seen({ current: current() }), { ...desired, rollout: hash }, 0, { do: 'abandon' }],
  ['nothing is here of a part', seen({ current: current() }), desired, 0, { do: 'fetch', from: 0 }],
  ['some is here', seen({ current: current() }, { bytes: { [hash]: 40 } }), desired, 0, { do: 'fetch', from: 40 }],
  [
    'more than there can be',
    seen({ current: current() }, { bytes: { [hash]: 101 } }),
    desired,
    0,
    { do: 'fetch', from: 0 },
  ],
  ['all is here', seen({ current: current() }, { bytes: { [hash]: 100 } }), desired, 0, { do: 'verify' }],
  ['it needs nothing', seen({ current: current({ parts: [] }) }), desired, 0, { do: 'conclude', phase: 'confirmed' }],
  [
    'fetched',
    seen({ current: current({ parts: [{ ...part, stage: 'fetched' }] }) }),
    desired,
    0,
    { do: 'enter', phase: 'fetched' },
  ],
  [
    'not to be installed yet',
    seen({ current: current({ phase: 'fetched', parts: [{ ...part, stage: 'fetched' }] }) }),
    { ...desired, step: 'fetch' },
    0,
    undefined,
  ],
  [
    'to be installed',
    seen({ current: current({ phase: 'fetched', parts: [{ ...part, stage: 'fetched' }] }) }),
    desired,
    0,
    { do: 'enter', phase: 'installing' },
  ],
  [
    'installing',
    seen({ current: current({ phase: 'installing', parts: [{ ...part, stage: 'fetched' }] }) }),
    desired,
    0,
    { do: 'install' },
  ],
  [
    'installing failed too often',
    seen({ current: current({ phase: 'installing', attempts: 3, parts: [{ ...part, stage: 'fetched' }] }) }),
    desired,
    0,
    { do: 'conclude', phase: 'failed' },
  ],
  [
    'installed',
    seen({ current: current({ phase: 'installing', parts: [{ ...part, stage: 'installed' }] }) }),
    desired,
    0,
    { do: 'enter', phase: 'trial' },
  ],
  ['the trial begins', seen(trial()), desired, 0, { do: 'switch', name: '2.0.0' }],
  ['it does not begin', seen(trial({ attempts: 3 })), desired, 0, { do: 'conclude', phase: 'failed' }],
  ['on trial, unwell, early', seen(trial(), { ...onTrial, missing: 'x' }), desired, 28_000, undefined],
  [
    'on trial, unwell, late',
    seen(trial(), { ...onTrial, missing: 'x' }),
    desired,
    29_000,
    { do: 'goBack', reason: 'x' },
  ],
  ['on trial, well, not long enough', seen(trial(), { ...onTrial, wellSince: 1000 }), desired, 5000, undefined],
  ['on trial, well', seen(trial(), { ...onTrial, wellSince: 1000 }), desired, 6000, { do: 'confirm' }],
  ['on trial, well at last', seen(trial(), { ...onTrial, wellSince: 28_900 }), desired, 29_000, { do: 'confirm' }],
  [
    'on trial, and the plan took it back',
    seen(trial(), { ...onTrial, wellSince: 1 }),
    undefined,
    6000,
    { do: 'confirm' },
  ],
  [
    'the other slot did not start',
    seen(trial({ slot: 'B' }), { ...onTrial, running: { arch, slot: 'A' } }),
    desired,
    0,
    { do: 'goBack' },
  ],
  [
    'the launcher confirmed it',
    seen(trial(), { launcher: { folders: [], confirmed: { name: '2.0.0', base: '1', rollout } } }),
    desired,
    0,
    { do: 'conclude', phase: 'confirmed' },
  ],
  [
    'the launcher gave it up',
    seen(trial({ missing: 'y' }), { launcher: { folders: [], failed: { rollout, why: 'late' } } }),
    desired,
    0,
    { do: 'conclude', phase: 'rolled-back', code: 'UPDATE_UNWELL', reason: 'it did not report well in time: y' },
  ],
  [
    'what no version needs goes',
    seen(
      {},
      {
        launcher: {
          folders: ['0.9', '1.1', '1.2', '.new-3'],
          confirmed: { name: '1.2', base: '1', rollout },
          previous: { name: '1.1', base: '1' },
        },
      },
    ),
    undefined,
    0,
    { do: 'cleanUp', versions: ['0.9', '.new-3'] },
  ],
  [
    'of another package’s time',
    seen({}, { launcher: { folders: ['1.2'], confirmed: { name: '1.2', base: '0', rollout } } }),
    undefined,
    0,
    { do: 'cleanUp', versions: ['1.2'] },
  ],
  ['images that nothing needs go', seen({ unwanted: ['a:1'] }), undefined, 0, { do: 'dropImages', tags: ['a:1'] }],
]

t.test('what comes next', async (t) => {
  for (const [what, of, wanted, now, first] of cases) {
    const [step] = plan(of, wanted, now, rules).steps
    if (first === undefined) t.equal(step, undefined, what)
    else t.match(step, first, what)
  }
})

t.test('a process that no launcher started takes none on trial', async (t) => {
  const { env: _, ...without } = seen(trial())
  t.match(plan(without, desired, 0, rules).steps[0], { do: 'conclude', phase: 'failed', code: 'UPDATE_NO_LAUNCHER' })
})
