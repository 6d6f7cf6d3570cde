import { XMLParser } from 'fast-xml-parser'

/** What one line of a scan's report says; empty where it says nothing. */
export type ScanLine = { at: string; what: string; said: string }
export type ScannedHost = { ip: string; lines: ScanLine[]; tests: Record<string, string>; guesses: OsGuess[] }
export type OsGuess = { name: string; accuracy: number; classes: string[]; cpe: string[] }

type Node = Record<string, unknown>
const lists = new Set(['host', 'address', 'port', 'cpe', 'osmatch', 'osclass', 'extraports', 'extrareasons'])
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  isArray: (name) => lists.has(name),
})

/** What `nmap -sV -O -oX` reports of each host, as the lines a reader compares: port by port, then the system. */
export function scannedHosts(xml: string): ScannedHost[] {
  const run = parser.parse(xml) as { nmaprun?: { host?: Node[] } }
  return (run.nmaprun?.host ?? []).filter(isUp).map((host) => {
    const guesses = guessesOf(host)
    return {
      ip: attribute(all(host.address)[0], 'addr'),
      lines: [...portLines(node(host.ports)), ...systemLines(host, guesses)],
      tests: testsOf(attribute(node(host.os).osfingerprint, 'fingerprint')),
      guesses,
    }
  })
}

function portLines(ports: Node): ScanLine[] {
  const lines = all(ports.port).flatMap((port) => {
    const at = `${attribute(port, 'portid')}/${attribute(port, 'protocol')}`
    const service = node(port.service)
    const said = (what: string, text: string) => ({ at, what, said: text })
    return [
      said('state', attribute(port.state, 'state')),
      said('service', [attribute(service, 'tunnel'), attribute(service, 'name')].filter(Boolean).join('/')),
      said('product', attribute(service, 'product')),
      said('version', attribute(service, 'version')),
      said('extra', attribute(service, 'extrainfo')),
      said('runs on', [attribute(service, 'ostype'), attribute(service, 'devicetype')].filter(Boolean).join(', ')),
      said('names', attribute(service, 'hostname')),
      said('cpe', texts(service.cpe).join(' ')),
    ]
  })
  const others = all(ports.extraports).map((one) => ({
    at: 'others',
    what: 'state',
    said: [attribute(one, 'state'), ...all(one.extrareasons).map((each) => attribute(each, 'reason'))].join(', '),
  }))
  return [...lines, ...others]
}

/**
 * Of the system the best guess. Class and CPE without the generation: between two that are as likely, random numbers of a
 * scan decide, also for one and the same host. The generation stands in the details.
 */
function systemLines(host: Node, [best]: readonly OsGuess[]): ScanLine[] {
  const said = (what: string, text = '') => ({ at: 'system', what, said: text })
  return [
    said('class', distinct(best?.classes.map((one) => one.replace(/ \S*$/, '')))),
    said('cpe', distinct(best?.cpe.map((one) => one.replace(/^(cpe:(?:\/[^:]*)?:[^:]*:[^:]*).*$/, '$1')))),
    said('details', best?.name),
    said('card', attribute(all(host.address)[1], 'vendor')),
    said('distance', attribute(host.distance, 'value')),
  ]
}

const distinct = (texts: readonly string[] = []) => [...new Set(texts)].join('; ')

const guessesOf = (host: Node): OsGuess[] =>
  all(node(host.os).osmatch).map((match) => ({
    name: attribute(match, 'name'),
    accuracy: Number(attribute(match, 'accuracy')),
    classes: all(match.osclass).map((one) =>
      ['type', 'vendor', 'osfamily', 'osgen']
        .map((name) => attribute(one, name))
        .join(' ')
        .trim(),
    ),
    cpe: all(match.osclass).flatMap(({ cpe }) => texts(cpe)),
  }))

/** The answers to nmap's probes by test, without what is random. */
function testsOf(fingerprint: string): Record<string, string> {
  const print = fingerprint.replace(/(\n|&#xa;)OS:/g, '')
  const isRandom = (value: string) => /^(SP|ISR|GCD|TS)=/.test(value)
  return Object.fromEntries(
    [...print.matchAll(/(SEQ|OPS|WIN|ECN|T[1-7]|U1|IE)\(([^)]*)\)/g)].map(([, name = '', values = '']) => [
      name,
      values
        .split('%')
        .filter((value) => !isRandom(value))
        .join('%'),
    ]),
  )
}

const isUp = (host: Node) => attribute(host.status, 'state') === 'up'
const all = (value: unknown): Node[] =>
  Array.isArray(value) ? (value as Node[]) : value === undefined ? [] : [node(value)]
const node = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {})
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const attribute = (value: unknown, name: string): string => {
  const found = node(value)[name]
  return typeof found === 'string' ? found : ''
}
