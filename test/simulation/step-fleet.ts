import { guessesFor } from './guesses.ts'
import { answerOf, decoysNow, type ShownDecoy, type Stage, secondsSince } from './story.ts'
import { until } from './wait.ts'

type Invitation = { token: string }[]
type Agents = { name: string; presence: string; roles: string[] }[]
type SegmentHosts = {
  name: string
  cidr?: string
  hosts: { ip: string; mac?: string; status: string; system?: string; ports: unknown[] }[]
}

const fleet = [
  { machine: 'appliance-a', segment: 'seg-a', role: 'decoys' },
  { machine: 'appliance-b', segment: 'seg-b', role: 'decoys' },
  { machine: 'gateway', segment: 'centre', role: 'enforcer' },
] as const

/** One-time tokens for each appliance and the gateway; they make their keys and enrol by themselves. */
export async function enrolFleet(stage: Stage): Promise<void> {
  const { lab, centre, timeline } = stage
  await until(
    'the controller to answer',
    60,
    () =>
      centre
        .ask('agents', 'ls')
        .then(() => true)
        .catch(() => undefined),
    () => timeline.progress('waiting for the controller'),
  )
  for (const { machine, segment, role } of fleet) {
    const [made] = await centre.ask<Invitation>(
      'agents',
      'invite',
      '--site',
      'lab',
      '--segment',
      segment,
      '--name',
      machine,
      '--role',
      role,
    )
    await lab.putFile(machine, '/run/marshlight/token', `${made?.token}\n`)
  }
  const online = await until(
    'the agents to come online',
    120,
    async () => {
      const items = await centre.ask<Agents>('agents', 'ls')
      return items.filter(({ presence }) => presence === 'online').length === fleet.length ? items : undefined
    },
    () => timeline.progress('agents make keys, get certificates, connect'),
  )
  // The story's own looks at decoys come from these neighbours; nobody else's are exempt.
  for (const neighbour of Object.values(neighbours))
    await centre.ask(
      'sources',
      'exempt',
      `${lab.machine(neighbour).ip}/32`,
      '--owner',
      'demo',
      '--reason',
      'looks whether decoys answer',
      '--for',
      '1h',
    )
  for (const { name, roles } of online)
    timeline.tell(`${name} enrolled with a token that served once, and is connected (${roles.join(', ')})`)
}

export type Discovery = { present: number; found: number }

/** Waits until both inventories hold every host there is, or the time is up; says what was found of what is there. */
export async function discover(stage: Stage, seconds: number): Promise<Discovery> {
  const { lab, centre, timeline } = stage
  const present = lab.hosts().map(({ ip }) => ip)
  const look = async () =>
    Promise.all(['seg-a', 'seg-b'].map((name) => centre.ask<SegmentHosts>('segments', 'show', name)))
  const foundIn = (segments: SegmentHosts[]) =>
    segments.flatMap(({ hosts }) => hosts.filter(({ status }) => status === 'up').map(({ ip }) => ip))
  const all = (segments: SegmentHosts[]) => present.every((ip) => foundIn(segments).includes(ip))
  let last: SegmentHosts[] = []
  await until(
    'the scans to find every host',
    seconds,
    async () => {
      last = await look()
      return all(last) ? true : undefined
    },
    () =>
      timeline.progress(
        `found ${present.filter((ip) => foundIn(last).includes(ip)).length} of ${present.length} hosts`,
      ),
  ).catch(() => undefined)
  for (const { name, cidr, hosts } of last)
    timeline.tell(
      `${name} (${cidr}): ${hosts.filter(({ status }) => status === 'up').length} addresses answer, nobody told the agent any of them`,
    )
  return { present: present.length, found: present.filter((ip) => foundIn(last).includes(ip)).length }
}

export type ReadyDecoys = { decoys: (ShownDecoy & { guessable: boolean })[]; firstSeconds: number }

/** Waits for the decoys that the segments are to have, and proves each from a real neighbour. */
export async function growDecoys(stage: Stage, perSegment: number): Promise<ReadyDecoys> {
  const { centre, timeline, began } = stage
  const asked = new Set<string>()
  let firstSeconds: number | undefined
  const answered = new Set<string>()
  const guessable = new Set<string>()
  const ready = await until(
    `${perSegment} decoys in each segment to answer`,
    240,
    async () => {
      const decoys = (await decoysNow(stage)).filter(({ phase }) => phase === 'ready')
      for (const decoy of decoys.filter(({ id }) => !answered.has(id))) {
        const answer = await answerOf(stage, neighbourOf(decoy), decoy.ip)
        if (answer === undefined) continue
        if (answer.port === 22 && (await guessesFor(stage, decoy.ip)).opens) guessable.add(decoy.id)
        firstSeconds ??= secondsSince(began)
        answered.add(decoy.id)
        timeline.tell(
          `decoy ${decoy.hostname} (${decoy.family}) at ${decoy.ip}, MAC ${decoy.mac}, tells ${neighbourOf(decoy)}: ${answer.banner}`,
        )
      }
      let full = true
      for (const name of Object.keys(neighbours)) {
        const here = decoys.filter(({ id, segmentName }) => segmentName?.endsWith(name) && answered.has(id))
        const open = here.some(({ id }) => guessable.has(id))
        if (here.length >= perSegment && !open && !asked.has(name)) {
          asked.add(name)
          const reason = 'the segment drew no decoy that SSH opens to the commonest passwords, which the story is about'
          await centre.ask('decoys', 'deploy', '--segment', name, '--family', 'debian-12', '--reason', reason)
          timeline.tell(`${name}: ${reason}; the administrator asks for one`)
        }
        full &&= here.length >= perSegment && open
      }
      return full ? decoys : undefined
    },
    () => timeline.progress(`${answered.size} decoys answer`),
  )
  return {
    decoys: ready.map((decoy) => ({ ...decoy, guessable: guessable.has(decoy.id) })),
    firstSeconds: firstSeconds ?? Number.NaN,
  }
}

const neighbours = { 'seg-a': 'web-01', 'seg-b': 'ber-dev-007' }
const neighbourOf = ({ segmentName }: ShownDecoy) =>
  segmentName?.endsWith('seg-a') ? neighbours['seg-a'] : neighbours['seg-b']
