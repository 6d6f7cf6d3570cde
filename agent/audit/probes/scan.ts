import type { Persona } from '../../../shared/schemas/persona.ts'
import { systemNmap } from '../../scan/nmap-run.ts'
import { type FoundHost, parseNmapXml } from '../../scan/nmap-xml.ts'
import type { Look } from '../look.ts'
import { cardName } from '../place.ts'

export type Scanned = { host: FoundHost | undefined; xml: string }

/** Ports that an attacker looks at first, besides those that the persona has. */
const usualPorts =
  '21-23,25,53,80,81,88,110,111,135,139,143,389,443,445,502,515,554,587,631,993,995,1433,1521,1883,2049,2222,3000,3306,3389,5000,5060,5432,5555,5900,5985,6379,8000,8008,8080,8081,8443,8888,9000,9100,9200,11211,27017'
/** Telnet answers none of nmap's version probes, and each waits out its time. */
const telnetPort = 23

export const tcpPortsOf = (persona: Persona): number[] => {
  const udp = ['snmp', 'ntp', 'tftp', 'netbios', 'mdns']
  const others = (persona.services ?? []).filter(({ kind }) => !udp.includes(kind)).map(({ port }) => port)
  const own = [...(persona.ssh ? [22] : []), ...(persona.telnet ? [23] : []), ...others]
  return [...new Set(own)].sort((a, b) => a - b)
}

/** Open ports, time to live and the operating system, in one run. */
export const scanned = (look: Look): Promise<Scanned> =>
  look.once('scan', () => {
    const ports = [...new Set([...tcpPortsOf(look.persona)])].join(',')
    const options = [
      '-Pn',
      '-sS',
      '-O',
      '--max-os-tries',
      '2',
      '-T4',
      '-p',
      ports === '' ? usualPorts : `${usualPorts},${ports}`,
    ]
    return nmap(look, options, 60)
  })

/** Products and versions at its ports, telnet left out. */
export const versions = (look: Look): Promise<Scanned | undefined> =>
  look.once('versions', async () => {
    const ports = tcpPortsOf(look.persona).filter((port) => port !== telnetPort)
    if (ports.length === 0) return undefined
    return nmap(look, ['-Pn', '-sS', '-sV', '--version-light', '-T4', '-p', ports.join(',')], 90)
  })

async function nmap({ decoy, signal }: Look, options: string[], seconds: number): Promise<Scanned> {
  const job = { options, targets: [decoy.ip], exclude: [], nic: cardName, timeoutMs: seconds * 1000 }
  const xml = await systemNmap(job, signal)
  return { host: parseNmapXml(xml).hosts[0], xml }
}
