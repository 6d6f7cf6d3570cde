import { canonicalCidr } from '../../shared/network.ts'
import type { DesiredDecoy, Plan } from '../../shared/schemas/desired-state.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import type { ContainerSpec, ObservedContainer } from '../engine/port.ts'
import { controlDigest, controlFiles, filterMark, filterText } from './control-files.ts'
import {
  answers,
  type Current,
  type CurrentDecoy,
  containersIn,
  lastStart,
  nothingSeen,
  outlivedPod,
} from './current.ts'
import { isHeldDown } from './entry.ts'
import { isHung } from './heartbeats.ts'
import { type DecoySpecs, networkName, type SpecDeps, specsOf } from './specs.ts'
import type { Step, Steps, Work } from './steps.ts'

export type PlanRules = SpecDeps & {
  /** A container of ours that no plan names is left alone for so long, in case its plan is still to come. */
  strayGraceMs: number
  /** A service that runs but does not answer for so long has failed. */
  readyWithinMs: number
}

/**
 * What is to be done so that `current` becomes `desired`. Pure. An empty answer means that nothing is left to do, or
 * nothing before `wakeAt`. Decoys in `busy` are being worked on and are left out.
 */
export function plan(
  current: Current,
  desired: Plan,
  now: number,
  rules: PlanRules,
  busy: ReadonlySet<string> = new Set(),
): Steps {
  const wakes: number[] = []
  const works: Work[] = []
  for (const decoy of desired.decoys) {
    if (busy.has(decoy.id)) continue
    const stages = stagesFor(decoy, { current, desired, now, rules, wake: (at) => wakes.push(at) })
    if (stages.length > 0) works.push({ decoy: decoy.id, stages })
  }
  const named = new Set(desired.decoys.map(({ id }) => id))
  for (const [id, entry] of current.entries) {
    if (named.has(id) || busy.has(id)) continue
    const removals = removalsOf(current.decoys.get(id), 'the plan no longer names its decoy')
    if (removals.length > 0) works.push({ decoy: id, stages: [removals, [{ do: 'clear', decoy: entry.decoy }]] })
  }
  const tidying = [
    ...straySteps(current, now, rules, (at) => wakes.push(at)),
    ...(works.length + busy.size > 0 ? [] : unusedNetworks(current, desired, rules.agent)),
  ]
  return { works, tidying, ...(wakes.length > 0 && { wakeAt: Math.min(...wakes) }) }
}

type Circumstances = { current: Current; desired: Plan; now: number; rules: PlanRules; wake: (at: number) => void }

function stagesFor(desired: DesiredDecoy, around: Circumstances): Step[][] {
  const { current, now, rules, wake } = around
  const entry = current.entries.get(desired.id)
  const seen = current.decoys.get(desired.id) ?? nothingSeen
  if (!entry) return []
  if (isHeldDown(entry)) return cleared(desired.id, removalsOf(seen, entry.reason ?? 'it was given up'))
  if (entry.clear && containersIn(seen).length > 0)
    return cleared(desired.id, removalsOf(seen, entry.reason ?? 'it failed'))
  if (entry.retryAt !== undefined && entry.retryAt > now) {
    wake(entry.retryAt)
    return []
  }
  const nic = current.nics.find(({ cidr }) => canonicalCidr(cidr) === canonicalCidr(desired.cidr))
  if (!nic) return [[{ do: 'refuse', code: 'SEGMENT_UNKNOWN', details: { cidr: desired.cidr } }]]
  const persona = around.desired.personas.find(
    ({ id, version }) => id === desired.persona && version === desired.personaVersion,
  )
  if (!persona) return [[{ do: 'refuse', code: 'NOT_FOUND', details: personaDetails(desired) }]]
  const specs = specsOf(desired, persona, nic, rules)
  const outdated = outdatedOf(seen, specs)
  if (outdated.length > 0) return cleared(desired.id, outdated)
  return bringUp(desired, persona, seen, specs, around)
}

function bringUp(
  desired: DesiredDecoy,
  persona: Persona,
  seen: CurrentDecoy,
  specs: DecoySpecs,
  { current, desired: { revision }, now, rules, wake }: Circumstances,
): Step[][] {
  const files = controlFiles(desired, persona, revision)
  const digest = controlDigest(files)
  const network = current.networks.find(({ name }) => name === specs.network.name)
  const podUp = seen.pod?.running === true
  const services = specs.services.map(({ name, spec }) => {
    const there = seen.services[name] ?? {}
    const toStop = there.service !== undefined && (outlivedPod(seen, there) || isHung(there))
    return { spec, there, toStop, up: there.service?.running === true && !toStop }
  })
  const first: Step[] = []
  const prepare: Step[] = []
  if (network?.labels['marshlight.spec'] !== specs.network.labels['marshlight.spec'])
    first.push({ do: 'ensureNetwork', spec: specs.network })
  if (seen.control !== digest) first.push({ do: 'writeControl', decoy: desired.id, files, digest })
  // The check takes longest, so it runs beside all that can be done without the address being in use.
  if (!podUp) prepare.push({ do: 'checkAddress', nic: specs.network.parent, ip: desired.ip })
  if (!seen.pod) prepare.push({ do: 'createPod', spec: specs.pod })
  for (const { spec, there, toStop } of services) {
    if (!there.service) prepare.push({ do: 'createService', spec })
    if (toStop) prepare.push({ do: 'stopService', name: spec.name })
  }
  const start: Step[] = podUp ? [] : [{ do: 'startPod', name: specs.pod.name }]
  const service = services.flatMap(({ spec, up }): Step[] => (up ? [] : [{ do: 'startService', name: spec.name }]))
  // A service takes far longer to listen than its pod's filter to be there; if that fails, both are taken down.
  const filter = filterMark(filterText(files), seen.pod)
  if (!podUp || seen.filter !== filter)
    service.push({ do: 'applyEgress', decoy: desired.id, pod: specs.pod.name, egress: filterText(files) })
  const stages = [first, prepare, start, service].filter((stage) => stage.length > 0)
  if (stages.length > 0 || answers(seen)) return stages

  const late = Date.parse(lastStart(seen)) + rules.readyWithinMs
  if (now < late) {
    wake(late)
    return []
  }
  const seconds = rules.readyWithinMs / 1000
  const errors = services.flatMap(({ there }) => there.status?.error ?? [])
  const next = errors[0] ?? 'Its containers are made anew.'
  return [[{ do: 'refuse', code: 'TIMEOUT', details: { what: 'the answer of its services', seconds, next } }]]
}

const personaDetails = (desired: DesiredDecoy) => ({
  kind: 'persona in the plan',
  value: `${desired.persona} in version ${desired.personaVersion}`,
  command: 'marshlight personas list',
})

const cleared = (decoy: string, removals: Step[]): Step[][] =>
  removals.length === 0 ? [] : [removals, [{ do: 'clear', decoy }]]

function removalsOf(seen: CurrentDecoy | undefined, because: string): Step[] {
  return containersIn(seen ?? nothingSeen).map((container) => removal(container, because))
}

const removal = ({ id, name }: ObservedContainer, because: string): Step => ({
  do: 'removeContainer',
  id,
  name,
  because,
})

/** Containers made from another specification than the present one, or not wanted. Without its pod none is anything. */
function outdatedOf(seen: CurrentDecoy, specs: DecoySpecs): Step[] {
  const because = 'its specification changed'
  const differs = (one: ObservedContainer, spec: ContainerSpec | undefined) =>
    one.labels['marshlight.spec'] !== spec?.labels['marshlight.spec']
  if (seen.pod && differs(seen.pod, specs.pod)) return removalsOf(seen, because)
  return Object.entries(seen.services).flatMap(([name, { service }]) => {
    const spec = specs.services.find((one) => one.name === name)?.spec
    return service && differs(service, spec) ? [removal(service, because)] : []
  })
}

function straySteps({ strays }: Current, now: number, rules: PlanRules, wake: (at: number) => void): Step[] {
  return [...strays.values()].flatMap(({ container, since }) => {
    if (now - since >= rules.strayGraceMs) return [removal(container, 'no plan names it')]
    wake(since + rules.strayGraceMs)
    return []
  })
}

/** Networks of ours that no decoy of the plan needs. Only when all is at rest: a network in use cannot go. */
function unusedNetworks({ networks, nics, strays }: Current, desired: Plan, agent: string): Step[] {
  if (strays.size > 0) return []
  const wanted = new Set(desired.decoys.map(({ cidr }) => canonicalCidr(cidr)))
  const needed = new Set(nics.filter(({ cidr }) => wanted.has(canonicalCidr(cidr))).map(({ nic }) => networkName(nic)))
  return networks
    .filter(({ name, labels }) => labels['marshlight.agent'] === agent && !needed.has(name))
    .map(({ name }): Step => ({ do: 'removeNetwork', name, because: 'no decoy of the plan is in it' }))
}
