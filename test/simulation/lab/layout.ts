/** What stands in the lab: pure data, so that the demo can compare what a scan found with what is there. */

export type SegmentName = 'seg-a' | 'seg-b' | 'centre' | 'outside'
export type Service = 'ssh' | 'http' | 'http-app' | 'telnet' | 'postgres' | 'ftp' | 'smb'
export type Role = 'host' | 'gateway' | 'appliance' | 'controller' | 'attacker' | 'payload-server'

export type LabSegment = { name: SegmentName; cidr: string; gateway: string }

export type LabMachine = {
  /** Name in the lab: what `exec` takes. */
  name: string
  hostname: string
  role: Role
  segment: SegmentName
  ip: string
  mac: string
  services: readonly Service[]
  /** TCP ports that its services open. */
  ports: readonly number[]
  users: readonly { name: string; password: string }[]
  ttl: number
}

export type LabLayout = { segments: readonly LabSegment[]; machines: readonly LabMachine[] }

const portsOf: Record<Service, readonly number[]> = {
  ssh: [22],
  http: [80],
  'http-app': [8080],
  telnet: [23],
  postgres: [5432],
  ftp: [21],
  smb: [139, 445],
}

/** Labs that fit side by side into 198.18.0.0/15; `place` is the number of one. */
export const places = 32

type HostRow = readonly [hostname: string, last: number, mac: string, services: readonly Service[], ttl?: number]

/** A server room: short names by task and number. */
const serverRoom: readonly HostRow[] = [
  ['sw-core-01', 2, '00:1b:54:3a:91:02', ['telnet', 'http'], 255],
  ['web-01', 11, '18:66:da:4e:02:1b', ['ssh', 'http']],
  ['web-02', 12, '18:66:da:4e:07:c4', ['ssh', 'http']],
  ['app-01', 13, '00:50:56:9c:14:6e', ['ssh', 'http-app']],
  ['db-01', 21, '00:25:90:d1:5a:38', ['ssh', 'postgres']],
  ['ftp-01', 25, '00:50:56:9c:88:03', ['ssh', 'ftp']],
  ['nas-02', 31, '00:11:32:7f:20:ae', ['ssh', 'smb', 'http']],
]

/** An office floor: names by site, kind and serial. */
const officeFloor: readonly HostRow[] = [
  ['BER-PRN-014', 14, '00:17:c8:51:0d:77', ['telnet', 'http'], 64],
  ['BER-CAM-003', 33, '00:40:8c:e2:19:5d', ['http', 'telnet']],
  ['BER-FS-001', 40, '3c:d9:2b:08:c6:f1', ['smb'], 128],
  ['BER-ERP-002', 41, '94:57:a5:b3:44:20', ['ssh', 'postgres', 'http']],
  ['BER-WKS-021', 121, 'a4:bf:01:6d:ee:12', ['ssh']],
  ['BER-DEV-007', 122, 'a4:bf:01:6d:f2:9a', ['ssh', 'http-app', 'ftp']],
]

/** The lab at `place`. Place 0 has the addresses that the documentation names; all lie in the benchmarking range. */
export function layoutAt(place: number): LabLayout {
  const third = place * 8
  const prefix: Record<SegmentName, string> = {
    centre: `198.18.${third}`,
    'seg-a': `198.18.${third + 1}`,
    'seg-b': `198.18.${third + 2}`,
    outside: `198.19.${third}`,
  }
  const names = Object.keys(prefix) as SegmentName[]
  const machine = (
    role: Role,
    segment: SegmentName,
    [hostname, last, mac, services, ttl]: HostRow,
    name = hostname.toLowerCase(),
  ): LabMachine => ({
    name,
    hostname,
    role,
    segment,
    ip: `${prefix[segment]}.${last}`,
    mac,
    services,
    ports: services.flatMap((service) => portsOf[service]).sort((a, b) => a - b),
    users: role === 'host' ? [{ name: 'ops', password: `Ops-${hostname}` }] : [],
    ttl: ttl ?? 64,
  })
  return {
    segments: names.map((name) => ({ name, cidr: `${prefix[name]}.0/24`, gateway: `${prefix[name]}.1` })),
    machines: [
      machine('gateway', 'centre', ['gw-01', 1, '00:0c:29:41:00:01', []], 'gateway'),
      machine('controller', 'centre', ['centre-01', 10, '00:0c:29:41:00:0a', []], 'controller'),
      machine('appliance', 'seg-a', ['raspberrypi', 200, 'dc:a6:32:0b:5e:a1', []], 'appliance-a'),
      machine('appliance', 'seg-b', ['raspberrypi', 200, 'dc:a6:32:0b:5e:b2', []], 'appliance-b'),
      ...serverRoom.map((row) => machine('host', 'seg-a', row)),
      ...officeFloor.map((row) => machine('host', 'seg-b', row)),
      machine('attacker', 'outside', ['kali', 66, '00:0c:29:c0:ff:ee', []], 'attacker-outside'),
      machine('attacker', 'seg-b', ['BER-WKS-077', 77, 'a4:bf:01:6d:aa:4d', []], 'attacker-inside'),
      machine('payload-server', 'outside', ['cdn', 80, '00:0c:29:c0:00:50', []], 'payload-server'),
    ],
  }
}
