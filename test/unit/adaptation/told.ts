import type { World } from './world.ts'

export const always = { controlShare: 0.02, types: ['latency'], cooldownMinutes: 1 }

/** What adaptation gave to whom, and what it learned of each visit. */
export const given = (world: World) =>
  world.store.all<{ id: number; source: string; grp: string; arm: string; shown: string; class: string }>(
    'SELECT * FROM adaptation_assignments ORDER BY id',
  )
export const visits = (world: World) =>
  world.store.all<{
    source: string
    engagement: number | null
    sessions: number
    commands: number
    returned: number
    felt: number
  }>('SELECT * FROM adaptation_visits ORDER BY id')

/** Sources until one is given a drift by the bandit, and not none. */
export async function drifted(world: World): Promise<string> {
  for (let i = 1; i < 200; i++) {
    const ip = `203.0.113.${i}`
    await world.feed([world.event(ip, 'session.open')])
    if ((await given(world)).at(-1)?.arm === 'latency.low') return ip
  }
  throw new Error('nobody got any')
}
