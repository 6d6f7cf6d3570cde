import { z } from 'zod'
import { hostname, id, port, untrusted, utc } from './common.ts'

/** An absolute path of Unix, or of Windows with its drive. */
const place = (max: number) =>
  z
    .string()
    .regex(/^(\/|[A-Z]:\\)[^\0]*$/)
    .max(max)

/** One account of the pretended host; on Windows, `uid` is the last part of its security identifier. `passwords`: what opens the account on the decoy; empty means that nothing does. */
export const personaUser = z.object({
  name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,31}$/),
  uid: z.int().min(0).max(65535),
  gid: z.int().min(0).max(65535),
  gecos: untrusted(128),
  home: place(128),
  shell: place(64),
  passwords: z.array(z.string().min(1).max(128)).max(32),
  /** The first try of a source at which a right password is let in; 1 where missing. */
  acceptFromTry: z.int().min(1).max(1000).optional(),
})

/** One row of `ps aux`. Memory in kB, cpu and mem in percent. */
export const personaProcess = z.object({
  user: z.string().max(32),
  pid: z.int().min(1),
  cpu: z.number().min(0).max(100),
  mem: z.number().min(0).max(100),
  vsz: z.int().min(0),
  rss: z.int().min(0),
  tty: z.string().max(16),
  stat: z.string().max(8),
  start: z.string().max(16),
  time: z.string().max(16),
  command: z.string().max(256),
})

/** What an SSH server announces, in its order of preference. */
export const personaSsh = z.object({
  banner: z.string().regex(/^SSH-2\.0-[\x21-\x7e]{1,200}( [\x20-\x7e]{1,100})?$/),
  kex: z.array(z.string()).min(1),
  hostKeys: z.array(z.enum(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ssh-ed25519'])).min(1),
  ciphers: z.array(z.string()).min(1),
  macs: z.array(z.string()).min(1),
  compression: z.array(z.string()).min(1),
  /** Tries a connection is given before the server hangs up (OpenSSH: MaxAuthTries, 6). */
  maxAuthTries: z.int().min(1).max(100),
})

export const personaTelnet = z.object({
  banner: untrusted(512),
  loginPrompt: untrusted(128),
  passwordPrompt: untrusted(128),
})

/** A file of the pretended host, whole. What stands in the packages of the system itself is not here but in the image. */
export const personaFile = z.object({
  path: place(256),
  /** Permission bits, as in 0o644. */
  mode: z.int().min(0).max(0o7777),
  uid: z.int().min(0).max(65535),
  gid: z.int().min(0).max(65535),
  modifiedAt: utc,
  content: z.string().max(32_768),
})

/** An installed package, as `dpkg -l` or `rpm -q` tells it. */
export const personaPackage = z.object({
  name: z.string().max(96),
  version: z.string().max(96),
  arch: z.string().max(16),
  summary: z.string().max(128),
})

export const serviceKind = z.enum([
  ...['http', 'https', 'ftp', 'smb', 'mysql', 'postgres', 'redis', 'rdp', 'vnc', 'snmp', 'modbus', 'mqtt'],
  ...['msrpc', 'winrm', 'rtsp', 'printer', 'ntp', 'tftp', 'netbios', 'mdns', 'llmnr'],
] as const)

/** One page of a web server of the persona. */
export const personaPage = z.object({
  path: z.string().startsWith('/').max(256),
  status: z.int().min(100).max(599),
  type: z.string().max(128),
  body: z.string().max(16_384),
})

/**
 * A further service of the pretended host, besides SSH and telnet. `settings` are the ones of its kind, which the
 * registry of services (`shared/services.ts`) names and checks.
 */
export const personaService = z.object({
  kind: serviceKind,
  port,
  /** As its real package is called and numbered: what a version scan reads. */
  product: z.string().max(64),
  version: z.string().max(64),
  settings: z.record(z.string().max(64), z.union([z.string().max(2048), z.number(), z.boolean()])),
  pages: z.array(personaPage).max(32).optional(),
})

/** How the host's network stack behaves, as far as a packet tells. */
export const personaNetwork = z.object({
  /** The class that a scan of the operating system shall see. */
  stack: z.enum(['linux', 'linux-embedded', 'windows', 'bsd', 'printer', 'switch']),
  /** TCP window of a SYN-ACK in bytes; 0 leaves the kernel's own. */
  window: z.int().min(0).max(65535),
  mss: z.int().min(536).max(9000),
  /** Window scale of a SYN-ACK, RFC 7323; null for none. */
  windowScale: z.int().min(0).max(14).nullable(),
  sack: z.boolean(),
  timestamps: z.boolean(),
  ecn: z.boolean(),
  /** Whether it answers ICMP echo, and what a closed port does. */
  icmpEcho: z.boolean(),
  closedTcp: z.enum(['reset', 'drop']),
  closedUdp: z.enum(['unreachable', 'drop']),
})

/** How the machine lives: what its logs, its log-ins and its processes are drawn from, with the seed and the time. */
export const personaSchedule = z.object({
  /** Monday is 1. */
  workDays: z.array(z.int().min(1).max(7)).max(7),
  /** Hours of the persona's own time zone. */
  workFrom: z.number().min(0).max(24),
  workTo: z.number().min(0).max(24),
  cron: z
    .array(
      z.object({
        user: z.string().max(32),
        /** The five fields of crontab(5). */
        at: z.string().max(64),
        command: z.string().max(256),
        /** Where the line stands: `/etc/crontab`, `/etc/cron.d/x`, `/var/spool/cron/crontabs/x`. */
        file: z.string().max(128),
      }),
    )
    .max(64),
  /** People's log-ins: how many a working day, from where. */
  logins: z
    .array(z.object({ user: z.string().max(32), perDay: z.number().min(0).max(50), from: z.string().max(64) }))
    .max(32),
  /** Days between updates of packages and between restarts; 0 for never. */
  updateEveryDays: z.number().min(0).max(3650),
  rebootEveryDays: z.number().min(0).max(3650),
})

/** A password that opens nothing but decoys: seen anywhere again, it tells who read it where. */
export const honeyCredential = z.object({
  username: z.string().min(1).max(64),
  password: z.string().min(8).max(128),
  /** What the file says it opens, as `mysql` or `ssh`. */
  service: z.string().max(32),
  /** The file it stands in. */
  path: place(256),
})

/** Why a field has the value it has; shown by `marshlight personas explain`. */
export const personaReason = z.object({ field: z.string().max(64), because: z.string().max(512) })

/** BusyBox as the program behind every command: its first line without ` multi-call binary.`, and its applets; without a list, those of the image's tree. */
export const personaBusybox = z.object({
  banner: z.string().regex(/^BusyBox v[\x20-\x7e]{1,112}$/),
  applets: z
    .array(z.string().regex(/^[^/\s]{1,32}$/))
    .max(512)
    .optional(),
})

/**
 * What a decoy pretends to be. Every field agrees with every other: kernel with distribution, banner with package,
 * users with uid ranges, processes with services, MAC vendor with hardware, memory with processes.
 */
export const persona = z.object({
  id,
  version: z.int().min(1),
  /** Seeds whatever is generated at random from this persona, so that it can be built again bit for bit. */
  seed: z.string().min(8).max(64),
  family: z.string().max(64),
  hostname,
  domain: z.string().max(253).optional(),
  os: z.object({
    /** As in /etc/os-release. */
    id: z.string().max(64),
    name: z.string().max(128),
    version: z.string().max(64),
    prettyName: z.string().max(128),
    /** `uname -s`, `-r`, `-v`, `-m`, `-o`. */
    kernel: z.object({
      name: z.string().max(32),
      release: z.string().max(128),
      build: z.string().max(128),
      machine: z.string().max(32),
      operatingSystem: z.string().max(32),
    }),
  }),
  hardware: z.object({
    vendor: z.string().max(128),
    cpuModel: z.string().max(128),
    cpuMhz: z.number().min(1),
    cores: z.int().min(1).max(256),
    memoryKb: z.int().min(1024),
  }),
  /** The first three bytes of the MAC, lower case with colons, and whose they are. */
  mac: z.object({ oui: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){2}$/), vendor: z.string().max(128) }),
  /** IANA name. */
  timezone: z.string().max(64),
  bootedAt: utc,
  ssh: personaSsh.optional(),
  telnet: personaTelnet.optional(),
  /** `/etc/issue.net`-like text before the log-in, and the message of the day after it. */
  issue: untrusted(1024),
  motd: untrusted(4096),
  users: z.array(personaUser).min(1).max(64),
  processes: z.array(personaProcess).min(1).max(256),
  /** Initial TTL of its packets. */
  ttl: z.int().min(32).max(255),
  /** As in `LANG`. */
  locale: z.string().max(32).optional(),
  services: z.array(personaService).max(16).optional(),
  network: personaNetwork.optional(),
  schedule: personaSchedule.optional(),
  busybox: personaBusybox.optional(),
  packages: z.array(personaPackage).max(1024).optional(),
  files: z.array(personaFile).max(128).optional(),
  honey: z.array(honeyCredential).max(16).optional(),
  reasons: z.array(personaReason).max(64),
})

export type Persona = z.infer<typeof persona>
export type PersonaUser = z.infer<typeof personaUser>
export type PersonaProcess = z.infer<typeof personaProcess>
export type PersonaSsh = z.infer<typeof personaSsh>
export type PersonaFile = z.infer<typeof personaFile>
export type PersonaPackage = z.infer<typeof personaPackage>
export type PersonaService = z.infer<typeof personaService>
export type ServiceKind = z.infer<typeof serviceKind>
export type PersonaNetwork = z.infer<typeof personaNetwork>
export type PersonaSchedule = z.infer<typeof personaSchedule>
export type HoneyCredential = z.infer<typeof honeyCredential>
