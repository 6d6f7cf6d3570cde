import { build, loadOuis, readCatalogue, type Template } from '../../controller/personas/index.ts'
import { newId } from '../../shared/ids.ts'
import { limitAbout } from '../../shared/network-limits.ts'
import type { Persona, PersonaNetwork } from '../../shared/schemas/persona.ts'
import { containersOf } from '../../shared/services.ts'
import { command } from '../lab/cowrie-pod.ts'
import { decoyOf, makeAppliance, planOf, settled } from '../lab/decoys-appliance.ts'
import type { Segment } from '../lab/decoys-segment.ts'
import { type ScannedHost, scannedHosts } from './scan-report.ts'

/** The class that nmap ought to see: type, maker, family and generation as it writes them. */
const wanted: Record<string, RegExp> = {
  linux: /^general purpose Linux Linux [45]/,
  'linux-4': /Linux Linux [34]/,
  'linux-router': /Linux Linux/,
  'linux-camera': /Linux Linux|webcam/,
  'linux-3': /Linux Linux [23]/,
  'windows-2016': /Microsoft Windows (2008|2012|2016|7|8|10)/,
  'windows-server': /Microsoft Windows/,
  'windows-workstation': /Microsoft Windows/,
  printer: /^printer/,
  'switch-ios': /^switch Cisco/,
  bsd: /FreeBSD|OpenBSD|NetBSD/,
}
/** No family has it yet; the persona's stack can be one. */
const bsd: PersonaNetwork = {
  ...{ stack: 'bsd', window: 65535, mss: 1460, windowScale: 6, sack: true, timestamps: true, ecn: false },
  ...{ icmpEcho: true, closedTcp: 'reset', closedUdp: 'unreachable' },
}

export type StackSeen = {
  stack: string
  family: string
  wanted: string
  /** nmap's best guess with its accuracy in percent, and the classes of all that are as likely. */
  said: string
  accuracy: number
  classes: string[]
  reached: boolean
  /** What `marshlight personas explain` says of the class, where a Linux kernel cannot. */
  told: string | undefined
}

const ports = '9,22,23,80,135,443,445,554,3389,5000,9100'

/** A decoy for each network stack of the catalogue, of a family that has it, and what `nmap -O` takes each for. */
export async function stackClasses(t: { teardown(work: () => unknown): void }, segment: Segment): Promise<StackSeen[]> {
  const personas = await personasByStack()
  const decoys = personas.map(({ persona }, i) => {
    const mac = `${persona.mac.oui}:40:00:${(20 + i).toString(16)}`
    return decoyOf(segment, 20 + i, persona.hostname, { persona: persona.id, mac, services: containersOf(persona) })
  })
  const appliance = await makeAppliance(t, segment)
  await appliance.decoys.start(new AbortController().signal)
  appliance.decoys.applyPlan(
    planOf(
      appliance.agent,
      1,
      decoys,
      personas.map(({ persona }) => persona),
    ),
  )
  await appliance.reported(settled(1), 0, 90)
  const options = [
    '-n',
    '-Pn',
    '-O',
    '--osscan-guess',
    '--max-os-tries',
    '2',
    '-p',
    ports,
    '--max-retries',
    '3',
    '-oX',
    '-',
  ]
  const ips = decoys.map(({ ip }) => ip)
  const { out } = await command('ip', ['netns', 'exec', segment.namespace, 'nmap', ...options, ...ips])
  const seen = scannedHosts(out)
  return personas.map(({ stack, persona }, i) =>
    judged(
      stack,
      persona,
      seen.find(({ ip }) => ip === ips[i]),
    ),
  )
}

function judged(stack: string, persona: Persona, seen: ScannedHost | undefined): StackSeen {
  const [best] = seen?.guesses ?? []
  const likely = (seen?.guesses ?? []).filter(({ accuracy }) => accuracy === best?.accuracy)
  const classes = [...new Set(likely.flatMap((one) => one.classes))]
  const want = wanted[stack]
  return {
    stack,
    family: persona.family,
    wanted: want?.source ?? '',
    said: best?.name ?? '',
    accuracy: best?.accuracy ?? 0,
    classes,
    reached: want !== undefined && classes.some((one) => want.test(one)),
    told: limitAbout(persona, 'class'),
  }
}

async function personasByStack(): Promise<{ stack: string; persona: Persona }[]> {
  const catalogue = readCatalogue()
  const ouis = await loadOuis()
  const now = Date.now()
  const taken = new Set<string>()
  const make = (template: Template): Persona => {
    const input = { id: newId(now), seed: '5eed'.repeat(8), template, because: 'a test', neighbours: [], taken, now }
    const persona = build(input, catalogue, ouis)
    taken.add(persona.hostname.toLowerCase())
    return persona
  }
  const [any] = catalogue.templates
  if (!any) throw new Error('an empty catalogue')
  const found = Object.keys(catalogue.networks).map((stack) => {
    const template = catalogue.templates.find(({ network }) => network === stack)
    return { stack, persona: make(template ?? { ...any, network: stack }) }
  })
  return [...found, { stack: 'bsd', persona: { ...make(any), network: bsd } }]
}
