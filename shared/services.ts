import { z } from 'zod'
import { type ServiceContainer, serviceContainer } from './schemas/desired-state.ts'
import type { Persona, PersonaService, ServiceKind } from './schemas/persona.ts'

/**
 * The services a persona may have besides SSH and telnet: which container serves each, on which port it listens by
 * itself, and which settings it takes. What a setting leaves out follows from the product, the version and the persona.
 */

const text = z.string().max(256)
const line = z.string().regex(/^[^\r\n\0]{0,256}$/, 'one line of at most 256 characters')
const header = z.string().regex(/^[\x20-\x7e]{1,256}$/, 'printable ASCII')
const netbiosName = z.string().regex(/^[A-Za-z0-9!@#$%^&()_'{}.~-]{1,15}$/, 'a NetBIOS name of at most 15 characters')

/** Self-signed, its key drawn from the persona's seed; common name: the host name, with its domain. */
const certificate = {
  certCommonName: line.optional(),
  certOrganization: line.optional(),
  /** Days it is valid, counted from some weeks before the host's last start. */
  certDays: z.int().min(1).max(36500).optional(),
}

/** Names that a host of the Windows world tells to anybody who starts an NTLM log-in. */
const windowsNames = {
  /** The host name in capitals where missing. */
  netbiosName: netbiosName.optional(),
  /** Workgroup, or the domain's short name. */
  workgroup: netbiosName.optional(),
  /** Major, minor and build of Windows, as `10.0.17763`. */
  osVersion: z
    .string()
    .regex(/^\d{1,2}\.\d{1,2}\.\d{1,5}$/)
    .optional(),
}

const web = {
  /** How it words its headers and errors; told by the product where missing. */
  flavour: z.enum(['nginx', 'apache', 'iis', 'lighttpd', 'httpapi', 'embedded']).optional(),
  /** The whole `Server` header, or empty for none; made of product and version where missing. */
  server: z.string().max(256).optional(),
  /** Further headers of each answer, one a line, as `X-Powered-By: PHP/8.2.7`. */
  headers: z.string().max(1024).optional(),
  /** Title of the start page where `pages` has none for `/`. */
  title: text.optional(),
  /** Everything asks for a log-in by HTTP Basic with this realm, and refuses all. */
  realm: header.optional(),
  /** `digest` asks by HTTP Digest instead. */
  auth: z.enum(['basic', 'digest']).optional(),
  /** Page shown after a refused log-in form; the form's own page where missing. */
  refusedPath: z.string().startsWith('/').max(256).optional(),
  /** Where `/` leads to, as `/login.cgi`. */
  redirect: z.string().max(256).optional(),
}

/** A service as the registry knows it. `port` is where it listens unless the persona says otherwise. */
type Registered = {
  /** Who serves it; of some a real server of the service's own product. */
  container: ServiceContainer | ((service: PersonaService) => ServiceContainer)
  proto: 'tcp' | 'udp'
  port: number
  settings: z.ZodObject
}

/** nginx and Apache as they are, where the persona asks for nothing that they would not do (images/services' beside.py). */
function webContainer({ product, settings, pages = [] }: PersonaService): ServiceContainer {
  const flavour = { nginx: 'nginx', apache: 'apache', 'apache httpd': 'apache' }[product.toLowerCase()]
  const { server = 'x' } = settings
  const asItIs =
    flavour !== undefined &&
    (settings.flavour ?? flavour) === flavour &&
    settings.auth !== 'digest' &&
    typeof server === 'string' &&
    /^[\x20-\x7e]+$/.test(server) &&
    pages.every(({ status }) => status === 200)
  return asItIs ? 'web' : 'services'
}

const tcp = <S extends z.ZodRawShape>(port: number, settings: S) => ({
  container: 'services' as const,
  proto: 'tcp' as const,
  port,
  settings: z.strictObject(settings),
})
const udp = <S extends z.ZodRawShape>(port: number, settings: S) => ({ ...tcp(port, settings), proto: 'udp' as const })

export const serviceRegistry = {
  http: { ...tcp(80, web), container: webContainer },
  https: { ...tcp(443, { ...web, ...certificate }), container: webContainer },
  ftp: tcp(21, {
    /** The line after `220 `; made of product and version where missing. */
    banner: line.optional(),
    /** Lets `anonymous` in, to an empty folder that cannot be written. */
    anonymous: z.boolean().optional(),
  }),
  smb: tcp(445, {
    ...windowsNames,
    /** The highest dialect it agrees to. */
    dialect: z.enum(['2.0.2', '2.1', '3.0', '3.0.2', '3.1.1']).optional(),
    /** Old hosts still speak SMB 1, and tell `nativeOs` and `nativeLanMan` there. */
    smb1: z.boolean().optional(),
    nativeOs: line.optional(),
    nativeLanMan: line.optional(),
    signingRequired: z.boolean().optional(),
    /** Lets guests in: whoever gives no name, or one that no person of this host has. They see `shares`. */
    guest: z.boolean().optional(),
    /** `name=comment` separated by `;`: shares that guests can list. */
    shares: z.string().max(1024).optional(),
    /**
     * `name=folder` separated by `;`: where the files of a share lie. Guests see those of the persona's files that are
     * below, and read what all may read. A share without a folder is listed, and lets no guest in.
     */
    folders: z.string().max(1024).optional(),
  }),
  mysql: tcp(3306, {
    /** As `SHOW VARIABLES` would: what the greeting says. Made of product and version where missing. */
    serverVersion: line.optional(),
    authPlugin: z.enum(['mysql_native_password', 'caching_sha2_password']).optional(),
    /** Hosts that may not connect at all get error 1130, as a server bound for local use only answers. */
    refuseHosts: z.boolean().optional(),
  }),
  postgres: tcp(5432, {
    auth: z.enum(['scram-sha-256', 'md5', 'password']).optional(),
    /** Whether it offers TLS. */
    ssl: z.boolean().optional(),
  }),
  redis: tcp(6379, {
    /** `requirepass`; nobody knows it. Missing and not protected: anybody is in. */
    passwordRequired: z.boolean().optional(),
    protectedMode: z.boolean().optional(),
  }),
  rdp: tcp(3389, { ...windowsNames, ...certificate, /** Network level authentication. */ nla: z.boolean().optional() }),
  vnc: tcp(5900, {
    /** Version of RFB. */
    protocol: z.enum(['003.003', '003.007', '003.008']).optional(),
  }),
  snmp: udp(161, {
    /** Communities that may read, separated by spaces; `public` where missing. */
    communities: text.optional(),
    sysDescr: z.string().max(512).optional(),
    /** Dotted; as `1.3.6.1.4.1.8072.3.2.10`. */
    sysObjectId: z
      .string()
      .regex(/^1(\.\d{1,10}){2,30}$/)
      .optional(),
    sysContact: text.optional(),
    sysLocation: text.optional(),
    /** IANA number of the maker, of which the engine's id is made. */
    enterprise: z.int().min(0).max(0x7fffffff).optional(),
  }),
  modbus: tcp(502, {
    vendor: text.optional(),
    productCode: text.optional(),
    revision: text.optional(),
    unit: z.int().min(0).max(247).optional(),
  }),
  mqtt: tcp(1883, {
    /** Lets clients in without a name; they see the broker's own topics. */
    anonymous: z.boolean().optional(),
  }),
  msrpc: tcp(135, {}),
  winrm: tcp(5985, { ...windowsNames }),
  rtsp: tcp(554, {
    server: header.optional(),
    realm: header.optional(),
    auth: z.enum(['basic', 'digest']).optional(),
  }),
  printer: tcp(9100, {
    /** What `@PJL INFO ID` answers; the product where missing. */
    model: line.optional(),
    /** What the panel shows. */
    display: line.optional(),
  }),
  ntp: udp(123, { stratum: z.int().min(1).max(15).optional() }),
  tftp: udp(69, {}),
  /** The host's own name, address and services, by multicast DNS. */
  mdns: udp(5353, {}),
  /** Windows' own name, to neighbours that ask the link for it. */
  llmnr: udp(5355, {}),
  netbios: udp(137, { ...windowsNames, /** It has shares: the name of type 20. */ server: z.boolean().optional() }),
} as const satisfies Record<ServiceKind, Registered>

export type ServiceSettings<K extends ServiceKind> = z.infer<(typeof serviceRegistry)[K]['settings']>

/** What is wrong with a service of a persona, in words; empty when nothing is. */
export function serviceFaults(service: PersonaService): string[] {
  const { settings, proto } = serviceRegistry[service.kind]
  const parsed = settings.safeParse(service.settings)
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${service.kind}: settings.${path.join('.')}: ${message}`)
  const hasPages = service.kind === 'http' || service.kind === 'https'
  if (service.pages && !hasPages) faults.push(`${service.kind} over ${proto} has no pages`)
  return faults
}

/** What is wrong with the services of a persona among themselves and each. */
export function servicesFaults(persona: Pick<Persona, 'services' | 'ssh' | 'telnet'>): string[] {
  const faults: string[] = []
  const taken = new Map<string, string>()
  if (persona.ssh) taken.set('tcp 22', 'ssh')
  if (persona.telnet) taken.set('tcp 23', 'telnet')
  for (const service of persona.services ?? []) {
    faults.push(...serviceFaults(service))
    const place = `${serviceRegistry[service.kind].proto} ${service.port}`
    const other = taken.get(place)
    if (other !== undefined) faults.push(`${service.kind} and ${other} both want ${place}`)
    taken.set(place, service.kind)
  }
  return faults
}

/** The container that serves it. */
export function containerOf(service: PersonaService): ServiceContainer {
  const { container }: Registered = serviceRegistry[service.kind]
  return typeof container === 'function' ? container(service) : container
}

/** The containers that play a persona. */
export function containersOf({
  ssh,
  telnet,
  services = [],
}: Pick<Persona, 'services' | 'ssh' | 'telnet'>): ServiceContainer[] {
  const needed = new Set<ServiceContainer>(services.map(containerOf))
  if (ssh || telnet) needed.add('cowrie')
  return serviceContainer.options.filter((one) => needed.has(one))
}
