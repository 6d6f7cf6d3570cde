import { type FoundHost, parseNmapXml } from '../../agent/scan/nmap-xml.ts'
import { build, type Catalogue, choose, loadOuis, type Ouis, readCatalogue } from '../../controller/personas/index.ts'
import { newId } from '../../shared/ids.ts'
import { seededRandom } from '../../shared/random.ts'
import type { Persona } from '../../shared/schemas/persona.ts'
import { containersOf, serviceRegistry } from '../../shared/services.ts'
import { command, eventually } from '../lab/cowrie-pod.ts'
import { decoyOf, makeAppliance, planOf, settled } from '../lab/decoys-appliance.ts'
import type { Segment } from '../lab/decoys-segment.ts'
import { asInstalled, plugContainer } from '../lab/segment-container.ts'
import { plugStockCowrie } from '../lab/stock-cowrie-host.ts'
import type { HostedFamily } from './hosted-families.ts'
import { type Compared, compareScans } from './scan-agreement.ts'
import { type ScannedHost, scannedHosts } from './scan-report.ts'

export type Side = { family: HostedFamily; persona: Persona; compared: Compared[]; stock?: Compared[] }

type Scope = { teardown(work: () => unknown): void }

/** A decoy has the address of the host it plays, plus this; stock Cowrie that of the first, plus twice this. */
const apart = 40
/** As `nmap` looks by itself, and the ports of the databases; the first look as the agent does, which takes less time. */
const scanned = [
  '-n',
  '-Pn',
  '-sS',
  '-p',
  '1-1024,3306,5432,6379',
  '-sV',
  '-O',
  '--osscan-guess',
  '--max-os-tries',
  '2',
  '-oX',
  '-',
]

/**
 * Real hosts, and beside each a decoy with the persona that the controller's own engine builds of what the agent's scan says of
 * that host; then one `nmap -sV -O` of all from a third address. Stock Cowrie stands beside the host that only has SSH.
 */
export async function scanSideBySide(
  t: Scope,
  segment: Segment,
  families: readonly HostedFamily[],
  progress: (what: string) => void = () => {},
): Promise<Side[]> {
  const hosts = families.map((family, i) => {
    const tail = `10:00:${(10 + i).toString(16).padStart(2, '0')}`
    const { services, hostname, oui } = family
    const host = { host: 10 + i, services, hostname, mac: `${oui}:${tail}`, options: asInstalled }
    return { family, ip: plugContainer(t, segment, host) }
  })
  for (const { family, ip } of hosts) await listening(segment, ip, family.ports)
  const ips = hosts.map(({ ip }) => ip)
  progress(`${ips.length} real hosts stand`)
  const neighbours = parseNmapXml(await nmap(segment, ['--version-light', ...ips])).hosts
  const data = { catalogue: readCatalogue(), ouis: await loadOuis(), now: Date.now() }
  const made = hosts.map(({ family, ip }, i) => {
    const neighbour = { ...neighbourAt(neighbours, ip), names: [`${family.hostname}.corp.lan`] }
    const persona = personaLike(neighbour, data)
    const mac = `${persona.mac.oui}:20:00:${(10 + i).toString(16).padStart(2, '0')}`
    const services = containersOf(persona)
    const decoy = decoyOf(segment, 10 + i + apart, persona.hostname, { persona: persona.id, mac, services })
    return { family, ip, persona, decoy }
  })
  const { agent, decoys, reported } = await makeAppliance(t, segment)
  await decoys.start(new AbortController().signal)
  const wanted = made.map(({ decoy }) => decoy)
  const personas = made.map(({ persona }) => persona)
  decoys.applyPlan(planOf(agent, 1, wanted, personas))
  const [first] = made
  const stock = first?.family.services === 'ssh' ? segment.cidr.replace('0/24', String(10 + 2 * apart)) : undefined
  if (stock !== undefined) {
    plugStockCowrie(t, segment, { address: stock, mac: `${first?.family.oui}:30:00:0a` })
    await listening(segment, stock, [22])
  }
  await reported(settled(1), 0, 90)
  progress(`${wanted.length} decoys stand beside them`)
  const all = [...ips, ...wanted.map(({ ip }) => ip), ...(stock === undefined ? [] : [stock])]
  const seen = scannedHosts(await nmap(segment, all))
  const at = (ip: string): ScannedHost => {
    const found = seen.find((one) => one.ip === ip)
    if (!found) throw new Error(`nmap says nothing of ${ip}`)
    return found
  }
  return made.map(({ family, ip, persona, decoy }) => {
    const against = (other: string, name: string) =>
      compareScans(at(ip), at(other), { host: family.hostname, decoy: name })
    const beside = ip === first?.ip && stock !== undefined
    return {
      family,
      persona,
      compared: against(decoy.ip, persona.hostname),
      ...(beside && { stock: against(stock, 'svr04') }),
    }
  })
}

async function nmap(segment: Segment, more: readonly string[]): Promise<string> {
  const { code, out, err } = await command('ip', ['netns', 'exec', segment.namespace, 'nmap', ...scanned, ...more])
  if (code !== 0) throw new Error(`nmap: ${err}`)
  return out
}

async function listening(segment: Segment, ip: string, ports: readonly number[]): Promise<void> {
  const open = async () => {
    const said = segment.onNeighbour('nmap', '-n', '-Pn', '-p', ports.join(), ip)
    return said.match(/ open /g)?.length === ports.length ? true : undefined
  }
  await eventually(open, `${ip} listens on ${ports.join()}`, 60)
}

function neighbourAt(found: readonly FoundHost[], ip: string): FoundHost {
  const neighbour = found.find((one) => one.ip === ip)
  if (!neighbour) throw new Error(`the scan did not find ${ip}`)
  return neighbour
}

type Data = { catalogue: Catalogue; ouis: Ouis; now: number }
const draws = 200

/**
 * What the controller would make beside this one host. Services are drawn, as hosts of a kind differ in them: the first draw
 * that offers what this host does is taken, or else the one that is nearest to it.
 */
export function personaLike(neighbour: FoundHost, { catalogue, ouis, now }: Data): Persona {
  let best: { persona: Persona; off: number } | undefined
  for (let i = 0; i < draws && best?.off !== 0; i++) {
    const seed = i.toString(16).padStart(32, '0')
    const { template, because } = choose(catalogue, [neighbour], seededRandom(seed), { services: true })
    const input = { id: newId(now), seed, template, because, neighbours: [neighbour], taken: new Set<string>(), now }
    const persona = build(input, catalogue, ouis)
    const off = unlike(neighbour, persona)
    if (best === undefined || off < best.off) best = { persona, off }
  }
  if (!best) throw new Error('nothing was drawn')
  return best.persona
}

/** How many ports only one of them has open, or another product behind it. */
function unlike(neighbour: FoundHost, { ssh, telnet, services = [] }: Persona): number {
  const open = neighbour.ports.filter(({ proto }) => proto === 'tcp')
  const overTcp = services.filter(({ kind }) => serviceRegistry[kind].proto === 'tcp')
  const offered = new Map([
    ...(ssh ? [[22, ''] as const] : []),
    ...(telnet ? [[23, ''] as const] : []),
    ...overTcp.map(({ port, product }) => [port, product.split(' ')[0] ?? ''] as const),
  ])
  const missing = open.filter(({ port }) => !offered.has(port)).length
  const others = [...offered].filter(([port, maker]) => {
    const theirs = open.find((one) => one.port === port)
    // nmap takes MariaDB for a MySQL of a longer version, and cannot name every product.
    const words = `${theirs?.product ?? maker} ${theirs?.version ?? ''}`
    return theirs === undefined || !words.toLowerCase().includes(maker.toLowerCase())
  })
  return missing + others.length
}
