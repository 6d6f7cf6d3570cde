import { z } from 'zod'
import { hostname, id, untrusted, utc } from './common.ts'

/** One account of the pretended host. `passwords`: what opens the account on the decoy; empty means that nothing does. */
export const personaUser = z.object({
  name: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/),
  uid: z.int().min(0).max(65535),
  gid: z.int().min(0).max(65535),
  gecos: untrusted(128),
  home: z.string().startsWith('/').max(128),
  shell: z.string().startsWith('/').max(64),
  passwords: z.array(z.string().min(1).max(128)).max(32),
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

/** Why a field has the value it has; shown by `marshlight personas explain`. */
export const personaReason = z.object({ field: z.string().max(64), because: z.string().max(512) })

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
  reasons: z.array(personaReason).max(64),
})

export type Persona = z.infer<typeof persona>
export type PersonaUser = z.infer<typeof personaUser>
export type PersonaProcess = z.infer<typeof personaProcess>
export type PersonaSsh = z.infer<typeof personaSsh>
