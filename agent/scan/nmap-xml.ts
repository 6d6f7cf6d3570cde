import { XMLParser } from 'fast-xml-parser'
import { MarshlightError } from '../../shared/errors.ts'
import { ipv4, mac as macSchema } from '../../shared/schemas/common.ts'
import type { HostPort, OsGuess } from '../../shared/schemas/inventory.ts'

/** One host as nmap tells it; texts are cut to the bounds of the inventory schema. */
export type FoundHost = {
  ip: string
  mac?: string
  vendor?: string
  names: string[]
  ports: HostPort[]
  os: OsGuess[]
  /** nmap gave up on it before it was through; what it tells is incomplete. */
  timedOut: boolean
}

export type NmapResult = {
  hosts: FoundHost[]
  /** TCP ports that were looked at, as nmap writes them: `22,80-90`. */
  scanned: string
  /** False where nmap broke off before its closing summary. */
  finished: boolean
}

/** A parsed document takes some 15 times its size; runs are cut so that one has a few dozen hosts, or a thousand bare ones. */
export const xmlLimit = 4 * 1024 * 1024
const hostLimit = 65536
const portLimit = 1024

type Node = { [name: string]: Node[] | string | undefined }

const lists = new Set(
  [
    'host address hostname port cpe script osmatch osclass scaninfo elem table nmaprun runstats finished',
    'status hostnames ports state service os hostscript',
  ]
    .join(' ')
    .split(' '),
)

/**
 * The output of `nmap -oX` as hosts that are up. Broken XML throws SCAN_FAILED; an element without what it ought to have
 * (a port without a service, a host without an address) is left out or taken as it is, since hosts choose much of it.
 */
export function parseNmapXml(xml: string): NmapResult {
  if (xml.length > xmlLimit) throw new MarshlightError('SCAN_FAILED', { why: `${xml.length} bytes of XML, too much` })
  const root = all(parsed(xml), 'nmaprun')[0]
  if (!root) throw new MarshlightError('SCAN_FAILED', { why: 'output that is no nmap XML' })
  return {
    hosts: all(root, 'host').slice(0, hostLimit).flatMap(hostOf),
    scanned: all(root, 'scaninfo')
      .map((info) => text(info, 'services') ?? '')
      .filter(Boolean)
      .join(','),
    finished: all(root, 'runstats').some((stats) =>
      all(stats, 'finished').some((one) => text(one, 'exit') === 'success'),
    ),
  }
}

function parsed(xml: string): Node {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseAttributeValue: false,
    parseTagValue: false,
    trimValues: true,
    htmlEntities: true,
    ignoreDeclaration: true,
    ignorePiTags: true,
    alwaysCreateTextNode: true,
    isArray: (name) => lists.has(name),
  })
  try {
    return parser.parse(xml) as Node
  } catch (error) {
    throw new MarshlightError('SCAN_FAILED', { why: 'XML that cannot be read' }, { cause: error })
  }
}

function hostOf(host: Node): FoundHost[] {
  if (text(all(host, 'status')[0], 'state') !== 'up') return []
  const addresses = all(host, 'address')
  const ip = addresses.find((one) => text(one, 'addrtype') === 'ipv4')
  const address = ipv4.safeParse(text(ip, 'addr'))
  if (!address.success) return []
  const hardware = addresses.find((one) => text(one, 'addrtype') === 'mac')
  const mac = macSchema.safeParse(text(hardware, 'addr')?.toLowerCase())
  const vendor = cut(text(hardware, 'vendor'), 128)
  const scripts = all(host, 'hostscript').flatMap((one) => all(one, 'script'))
  return [
    {
      ip: address.data,
      ...(mac.success ? { mac: mac.data } : {}),
      ...(vendor ? { vendor } : {}),
      names: namesOf(host, scripts),
      ports: all(host, 'ports')
        .flatMap((ports) => all(ports, 'port'))
        .flatMap(portOf)
        .slice(0, portLimit),
      os: all(host, 'os')
        .flatMap((os) => all(os, 'osmatch'))
        .flatMap(osOf)
        .slice(0, osLimit),
      timedOut: text(host, 'timedout') === 'true',
    },
  ]
}

/** Guesses past the third differ by a percent and mean nothing. */
const osLimit = 3

function portOf(port: Node): HostPort[] {
  const number = Number(text(port, 'portid'))
  const proto = text(port, 'protocol')
  if (text(all(port, 'state')[0], 'state') !== 'open') return []
  if (!Number.isInteger(number) || number < 1 || number > 65535 || (proto !== 'tcp' && proto !== 'udp')) return []
  const service = all(port, 'service')[0]
  const probed = text(service, 'method') === 'probed'
  const cpe = all(service, 'cpe')
    .map((one) => cut(content(one), 128))
    .filter((one) => one !== undefined)
  const scripts = all(port, 'script').slice(0, 16).flatMap(scriptOf)
  return [
    {
      port: number,
      proto,
      ...given('service', cut(serviceName(service), 64)),
      ...(probed ? given('product', cut(text(service, 'product'), 128)) : {}),
      ...(probed ? given('version', cut(text(service, 'version'), 64)) : {}),
      ...(probed ? given('extra', cut(text(service, 'extrainfo'), 256)) : {}),
      ...(cpe.length > 0 ? { cpe: cpe.slice(0, 8) } : {}),
      ...(scripts.length > 0 ? { scripts: Object.fromEntries(scripts) } : {}),
    },
  ]
}

const serviceName = (service: Node | undefined) =>
  text(service, 'tunnel') === 'ssl' && text(service, 'name') === 'http' ? 'https' : text(service, 'name')

function scriptOf(script: Node): [string, string][] {
  const id = text(script, 'id')
  const output = text(script, 'output')
  return id && output !== undefined && /^[a-z0-9][a-z0-9-]{0,63}$/.test(id) ? [[id, output.slice(0, 4096)]] : []
}

function osOf(match: Node): OsGuess[] {
  const name = cut(text(match, 'name'), 128)
  const accuracy = Number(text(match, 'accuracy'))
  if (!name || !Number.isInteger(accuracy) || accuracy < 0 || accuracy > 100) return []
  const kind = all(match, 'osclass')[0]
  const cpe = all(kind, 'cpe')[0]
  return [
    {
      name,
      ...given('family', cut(text(kind, 'osfamily'), 64)),
      accuracy,
      ...given('cpe', cpe && cut(content(cpe), 128)),
    },
  ]
}

/** Names by DNS, and the NetBIOS name where the host told it. */
function namesOf(host: Node, scripts: readonly Node[]): string[] {
  const dns = all(host, 'hostnames')
    .flatMap((one) => all(one, 'hostname'))
    .map((one) => cut(text(one, 'name'), 253))
  const netbios = scripts
    .filter((script) => text(script, 'id') === 'nbstat')
    .map((script) => text(script, 'output')?.match(/NetBIOS name: ([^,\s<]{1,15})/)?.[1])
  return [...new Set([...dns, ...netbios].filter((name) => name !== undefined))].slice(0, 8)
}

const all = (node: Node | undefined, name: string): Node[] => {
  const value = node?.[name]
  return Array.isArray(value) ? value : []
}
const text = (node: Node | undefined, name: string): string | undefined => {
  const value = node?.[`@${name}`]
  return typeof value === 'string' ? value : undefined
}
const content = (node: Node | string): string => {
  const value = typeof node === 'string' ? node : node['#text']
  return typeof value === 'string' ? value : ''
}
const cut = (value: string | undefined, max: number): string | undefined => (value ? value.slice(0, max) : undefined)
const given = <K extends string>(key: K, value: string | undefined) =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<K, string>>
