import { readdir, readFile } from 'node:fs/promises'
import type { PersonaService } from '../../shared/schemas/persona.ts'
import { builtPersona } from '../lab/audit-lab.ts'
import { decoyOf, makeAppliance, planOf, settled } from '../lab/decoys-appliance.ts'
import { makeSegment } from '../lab/decoys-segment.ts'
import { cleanedUp } from './clean-up.ts'
import { steady } from './personas-memory.ts'
import type { Bench } from './row.ts'

const third = 234
const hostnames = ['www', 'intranet', 'wiki', 'shop', 'docs', 'status']
const real = 4
const site: PersonaService = { kind: 'http', port: 80, product: 'nginx', version: '1.22.1', settings: {} }

/**
 * What one more decoy with a real nginx costs: the private memory of all processes of its container (nginx's two and ours),
 * as `decoy.private_memory` counts it; the mean of four. The reference is the same persona played by `images/services`.
 */
export const personasWebBench: Bench = {
  names: ['decoy.web_private_memory'],
  run: (progress) =>
    cleanedUp(async (cleanUp) => {
      const segment = makeSegment({ teardown: cleanUp.add }, third)
      const appliance = await makeAppliance({ teardown: cleanUp.add }, segment)
      const built = await Promise.all(hostnames.map((name) => builtPersona('debian-12', name, `memory of ${name}`)))
      const personas = built.map((one) => ({ ...one, ssh: undefined, telnet: undefined, services: [site] }))
      const wanted = personas.map(({ id, hostname }, i) =>
        decoyOf(segment, 20 + i, hostname, { persona: id, services: [i < real ? 'web' : 'services'] }),
      )
      await appliance.decoys.start(new AbortController().signal)
      appliance.decoys.applyPlan(planOf(appliance.agent, 1, wanted, personas))
      await appliance.reported(settled(1), 0, 90)
      progress(`${real} decoys with nginx and ${hostnames.length - real} that play it stand`)
      const containers = (await appliance.engine.containers()).filter(
        ({ labels }) => labels['marshlight.kind'] === 'service',
      )
      const family = async (kind: string) => {
        const first = containers.flatMap(({ labels, pid }) =>
          labels['marshlight.service'] === kind && pid !== undefined ? [pid] : [],
        )
        return { count: first.length, pids: (await Promise.all(first.map(withChildren))).flat() }
      }
      const [web, played] = [await family('web'), await family('services')]
      if (web.pids.length !== real * 3) throw new Error(`${web.pids.length} processes run, not ${real * 3}`)
      const memories = await steady([...web.pids, ...played.pids], progress)
      const sum = (some: typeof memories) => some.reduce((total, one) => total + one.privateMb, 0)
      const value = sum(memories.slice(0, web.pids.length)) / web.count
      const reference = sum(memories.slice(web.pids.length)) / played.count
      return [{ name: 'decoy.web_private_memory', value, unit: 'MB', better: 'lower', target: 6, reference }]
    }),
}

/** A process and those below it. */
async function withChildren(pid: number): Promise<number[]> {
  const parents = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name): Promise<[number, number]> => {
        const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
        return [Number(name), Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2])]
      }),
  )
  const below = (one: number): number[] => [
    one,
    ...parents.flatMap(([child, parent]) => (parent === one ? below(child) : [])),
  ]
  return below(pid)
}
