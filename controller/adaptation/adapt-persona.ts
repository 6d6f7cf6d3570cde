import type { Persona } from '../../shared/schemas/persona.ts'
import type { Arm } from '../drift/bandit.ts'
import type { Interaction } from './interaction.ts'
import { takesTheTime } from './probing.ts'

/** What is to change; each with its reason. */
export type Adaptation = {
  /** The next version of the decoy's persona: one thing that a living machine changes too. */
  persona?: { change: 'next-version' }
  /** What that attacker's view becomes. */
  drift?: Arm
  because: string
}

type Rule = {
  when: (interaction: Interaction, persona: Shown) => boolean
  make: (interaction: Interaction) => Omit<Adaptation, 'because'>
  because: string
}
/** What of a persona the choice rests on. */
export type Shown = Pick<Persona, 'files' | 'honey'>

const type = (arm: Arm) => arm.split('.')[0] as 'none' | 'latency' | 'alteration' | 'error' | 'schedule'
const isOf = (wanted: ReturnType<typeof type>) => (one: Interaction) => type(one.arm) === wanted
const step = (arm: Arm) => (arm.split('.')[1] ?? 'low') as 'low' | 'medium' | 'high'
const next = { persona: { change: 'next-version' } } as const

/** In the order in which they are asked; of each kind of change the first that holds is made. */
const rules: readonly Rule[] = [
  {
    when: (one) => isOf('latency')(one) && takesTheTime(one.probes),
    make: ({ arm }) => ({ drift: `alteration.${step(arm)}` }),
    because: 'the time of answers is taken, so that waits are seen through: another type',
  },
  {
    when: (one) => isOf('error')(one) && one.otherWays > 0,
    make: ({ arm }) => ({ drift: `latency.${step(arm)}` }),
    because: 'what failed was got at by another program: another type than failures',
  },
  {
    when: (one) => isOf('alteration')(one) && (one.otherWays > 0 || one.probes.includes('tests-what-is-written')),
    make: ({ arm }) => ({ drift: `error.${step(arm)}` }),
    because: 'contents were held against each other: another type than altered contents',
  },
  {
    when: (one) => one.probes.length > 0 && isOf('error')(one),
    make: () => ({ drift: 'latency.low' }),
    because: 'somebody who tests for decoys met failures: times that vary are what any host has',
  },
  {
    when: (one) => isOf('error')(one) && one.errors > 0 && one.repeated > 0 && !one.leftEarly,
    make: ({ arm }) => ({ drift: stronger(arm) }),
    because: 'failures were borne and the line typed again: more of them',
  },
  {
    when: (one) => one.leftEarly && one.arm !== 'none',
    make: ({ arm }) => ({ drift: weaker(arm) }),
    because: 'gone within seconds: less',
  },
  {
    when: (one, persona) => (isOf('none')(one) || isOf('latency')(one)) && readsPlanted(one, persona),
    make: () => ({ drift: 'alteration.low' }),
    because: 'planted files were read: their contents begin to change',
  },
  {
    when: (one) => one.stayed && one.cameBack && isOf('latency')(one) && step(one.arm) !== 'high',
    make: ({ arm }) => ({ drift: stronger(arm) }),
    because: 'stays and comes back in spite of waits: longer ones cost him more',
  },
  { when: (one) => one.probes.length > 1, make: () => next, because: 'the decoy is being tested: a machine changes' },
  { when: (one) => one.cameBack && one.stayed, make: () => next, because: 'he comes back: a machine went on living' },
]

/**
 * What an attacker's conduct changes: of the decoy's persona, and of his own view of it. Pure; the rails
 * (`rails.ts`) decide whether it may be done now. Undefined where nothing is to change.
 */
export function adaptPersona(persona: Shown, interaction: Interaction): Adaptation | undefined {
  const because: string[] = []
  let made: Omit<Adaptation, 'because'> = {}
  for (const rule of rules) {
    if (!rule.when(interaction, persona)) continue
    const wanted = rule.make(interaction)
    const fresh =
      (wanted.drift !== undefined && made.drift === undefined && wanted.drift !== interaction.arm) ||
      (wanted.persona !== undefined && made.persona === undefined)
    if (!fresh) continue
    made = { ...wanted, ...made }
    because.push(rule.because)
  }
  return because.length === 0 ? undefined : { ...made, because: because.join('; ') }
}

function stronger(arm: Arm): Arm {
  if (arm === 'none' || type(arm) === 'none') return arm
  return `${type(arm) as 'error'}.${step(arm) === 'low' ? 'medium' : 'high'}`
}

function weaker(arm: Arm): Arm {
  if (arm === 'none' || step(arm) === 'low') return 'none'
  return `${type(arm) as 'error'}.${step(arm) === 'high' ? 'medium' : 'low'}`
}

const readsPlanted = ({ files }: Interaction, persona: Shown): boolean => {
  const planted = [...(persona.files ?? []), ...(persona.honey ?? [])].map(({ path }) => path)
  return files.some((file) => planted.includes(file))
}
