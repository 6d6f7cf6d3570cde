import { type Persona, persona as personaSchema } from '../../shared/schemas/persona.ts'
import { shownUser, startLabel } from './build-processes.ts'
import { algorithmsOf, type Catalogue, templateOf } from './catalogue.ts'
import { isGlobal, type Ouis } from './ouis.ts'
import type { Template } from './template.ts'

/** A log-in ends at once with one of these. */
const noShell = /(nologin|false|sync|shutdown|halt)$/

/**
 * What in a persona contradicts something else in it, in words; empty for one that holds together. An attacker who compares
 * two sources of the same fact (uname and motd, ps and passwd, MAC and hardware) must find nothing.
 */
export function inconsistencies(persona: Persona, catalogue: Catalogue, ouis: Ouis, now: number): string[] {
  const parsed = personaSchema.safeParse(persona)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return [`${issue?.path.join('.')} does not fit the schema: ${issue?.message}`]
  }
  const template = templateOf(catalogue, persona.family)
  if (!template) return [`there is no template ${persona.family}`]
  return [
    ...system(persona, template, now),
    ...services(persona, template, catalogue),
    ...machine(persona, template, catalogue, ouis),
    ...accounts(persona, template),
    ...processes(persona, now),
  ]
}

const failing = (...checks: readonly (readonly [boolean, string])[]) =>
  checks.filter(([bad]) => bad).map(([, words]) => words)

function system(
  { os, bootedAt, motd, timezone, hostname, processes }: Persona,
  template: Template,
  now: number,
): string[] {
  const kernel = template.kernels.find(
    ({ release, build }) => release === os.kernel.release && build === os.kernel.build,
  )
  const booted = Date.parse(bootedAt)
  const other = template.kernels.find(({ release }) => release !== os.kernel.release && motd.includes(release))
  return failing(
    [os.id !== template.os.id || os.version !== template.os.version, `${os.prettyName} is not ${template.label}`],
    [kernel === undefined, `kernel ${os.kernel.release} ${os.kernel.build} is none of ${template.label}`],
    [
      kernel !== undefined && kernel.machine !== os.kernel.machine,
      `kernel of ${kernel?.machine} on ${os.kernel.machine}`,
    ],
    [kernel !== undefined && booted < Date.parse(kernel.built), `booted ${bootedAt}, before its kernel was built`],
    [booted >= now, `booted ${bootedAt}, in the future`],
    [other !== undefined, `the message of the day names kernel ${other?.release}`],
    [!isTimezone(timezone), `${timezone} is no time zone`],
    [processes.some(({ command }) => command.includes('{')), 'a process has an open placeholder'],
    [/\{\w+\}/.test(motd), 'the message of the day has an open placeholder'],
    [hostname === 'svr04' || hostname === 'nas3', `${hostname} is a default that lists know`],
  )
}

function services({ ssh, telnet, processes, hostname }: Persona, template: Template, catalogue: Catalogue): string[] {
  const runs = (pattern: RegExp) => processes.some(({ command }) => pattern.test(command))
  const algorithms = ssh && algorithmsOf(catalogue, template, ssh.banner)
  const same = (a: readonly string[] | undefined, b: readonly string[] | undefined) => a?.join() === b?.join()
  return failing(
    [(ssh !== undefined) !== runs(/\bsshd\b|dropbear/), 'SSH is offered without its process, or the other way round'],
    [(telnet !== undefined) !== runs(/telnetd|inetd/), 'telnet is offered without its process, or the other way round'],
    [ssh !== undefined && template.ssh === null, `${template.label} offers no SSH`],
    [ssh !== undefined && algorithms === undefined, `${ssh?.banner} is no package of ${template.label}`],
    [
      ssh !== undefined &&
        algorithms !== undefined &&
        !(['kex', 'hostKeys', 'ciphers', 'macs', 'compression'] as const).every((list) =>
          same(ssh[list], algorithms[list]),
        ),
      `the algorithms are not those of ${ssh?.banner}`,
    ],
    [ssh === undefined && telnet === undefined, 'it offers nothing'],
    [telnet !== undefined && !telnet.loginPrompt.includes(hostname), 'the telnet prompt names another host'],
  )
}

function machine({ hardware, mac, os, ttl }: Persona, template: Template, catalogue: Catalogue, ouis: Ouis): string[] {
  const kind = catalogue.hardware.find(({ id, vendor }) => vendor === hardware.vendor && template.hardware.includes(id))
  const vendor = ouis.vendorOf(mac.oui)
  const nominal = kind?.memoryMb.find((mb) => hardware.memoryKb < mb * 1024 && hardware.memoryKb > mb * 1024 * 0.93)
  return failing(
    [!isGlobal(mac.oui), `${mac.oui} is locally administered or a group`],
    [vendor !== mac.vendor, `${mac.oui} is of ${vendor ?? 'nobody'}, not of ${mac.vendor}`],
    [kind === undefined, `${template.label} does not run on ${hardware.vendor}`],
    [
      kind !== undefined && !kind.match.some((one) => new RegExp(one, 'i').test(mac.vendor)),
      `a card of ${mac.vendor} in a machine of ${hardware.vendor}`,
    ],
    [
      kind !== undefined && !kind.cpus.some(({ model }) => model === hardware.cpuModel),
      `${hardware.cpuModel} is not in ${hardware.vendor}`,
    ],
    [kind !== undefined && kind.machine !== os.kernel.machine, `a kernel for ${os.kernel.machine} on ${kind?.machine}`],
    [kind !== undefined && nominal === undefined, `no such machine has ${hardware.memoryKb} kB of memory`],
    [ttl !== template.ttl, `a TTL of ${ttl}`],
  )
}

function accounts({ users }: Persona, template: Template): string[] {
  const found: string[] = []
  const [names, uids] = [users.map(({ name }) => name), users.map(({ uid }) => uid)]
  if (new Set(names).size !== names.length) found.push('two users of one name')
  if (new Set(uids).size !== uids.length) found.push('two users of one uid')
  if (users[0]?.name !== 'root' || users[0].uid !== 0) found.push('the first user is not root')
  for (const { name, uid } of template.users)
    if (uid !== null && users.find((user) => user.name === name)?.uid !== uid) found.push(`${name} has not uid ${uid}`)
  for (const { name, uid, home, shell, passwords } of users) {
    const isSystem =
      template.users.some((user) => user.name === name) ||
      template.roles.some((role) => role.users.some((user) => user.name === name))
    const first = template.people?.firstUid ?? Number.POSITIVE_INFINITY
    if (!isSystem && (uid < first || uid > 59_999)) found.push(`${name} is a person with uid ${uid}`)
    if (isSystem && uid >= 1000 && uid !== 65_534) found.push(`${name} is a system user with uid ${uid}`)
    if (!isSystem && home !== `/home/${name}`) found.push(`${name} lives in ${home}`)
    if (passwords.length > 0 && noShell.test(shell)) found.push(`${name} can log in but has no shell`)
  }
  if (!users.some(({ passwords }) => passwords.length > 0)) found.push('nobody can log in')
  return found
}

function processes({ processes: rows, users, hardware, bootedAt }: Persona, now: number): string[] {
  const found: string[] = []
  const shown = new Set(users.map(({ name }) => shownUser(name)))
  const pids = rows.map(({ pid }) => pid)
  if (pids[0] !== 1) found.push('the first process is not init')
  if (pids.some((pid, i) => i > 0 && pid <= (pids[i - 1] ?? 0))) found.push('process ids do not rise')
  for (const { user, command } of rows) if (!shown.has(user)) found.push(`${command} runs as ${user}, who is no user`)
  const used = rows.reduce((sum, { rss }) => sum + rss, 0)
  if (used > hardware.memoryKb * 0.9) found.push(`processes take ${used} kB of ${hardware.memoryKb}`)
  const share = rows.find(({ mem, rss }) => Math.abs(mem - (rss / hardware.memoryKb) * 100) > 0.06)
  if (share) found.push(`${share.command} takes ${share.rss} kB, which is not ${share.mem} %`)
  const start = startLabel(Date.parse(bootedAt), now)
  if (rows[0]?.start !== start) found.push(`init started ${rows[0]?.start}, the machine ${start}`)
  return found
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
