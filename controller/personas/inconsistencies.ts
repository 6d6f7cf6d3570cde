import { type Persona, persona as personaSchema } from '../../shared/schemas/persona.ts'
import { algorithmsOf, type Catalogue, templateOf } from './catalogue.ts'
import { failing } from './failing.ts'
import { accounts, processes } from './inconsistent-accounts.ts'
import { filesAndHoney, life } from './inconsistent-files.ts'
import { furtherServices, networkStack, packagesOf } from './inconsistent-services.ts'
import { isGlobal, type Ouis } from './ouis.ts'
import type { Template } from './template.ts'

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
    ...logIns(persona, template, catalogue),
    ...machine(persona, template, catalogue, ouis),
    ...accounts(persona, template),
    ...processes(persona, template, now),
    ...furtherServices(persona, template),
    ...networkStack(persona, template, catalogue),
    ...packagesOf(persona, template, catalogue, now),
    ...life(persona, template, catalogue, now),
    ...filesAndHoney(persona, template, now),
  ]
}

function system(
  { os, bootedAt, motd, timezone, locale, hostname, processes }: Persona,
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
    [os.kernel.name !== template.kernelName, `${template.label} calls its kernel ${template.kernelName}`],
    [
      os.kernel.operatingSystem !== template.operatingSystem || os.prettyName !== template.os.prettyName,
      `${os.prettyName} ${os.kernel.operatingSystem} is not what ${template.label} says`,
    ],
    [locale !== undefined && !/^[a-z]{2}_[A-Z]{2}\.UTF-8$/.test(locale), `${locale} is no locale`],
    [!isTimezone(timezone), `${timezone} is no time zone`],
    [processes.some(({ command }) => command.includes('{')), 'a process has an open placeholder'],
    [/\{\w+\}/.test(motd), 'the message of the day has an open placeholder'],
    [hostname === 'svr04' || hostname === 'nas3', `${hostname} is a default that lists know`],
  )
}

function logIns(
  { ssh, telnet, processes, hostname, services = [] }: Persona,
  template: Template,
  catalogue: Catalogue,
): string[] {
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
    [ssh === undefined && telnet === undefined && services.length === 0, 'it offers nothing'],
    [
      template.telnet?.text.loginPrompt.includes('{hostname}') === true &&
        telnet !== undefined &&
        !telnet.loginPrompt.includes(hostname),
      'the telnet prompt names another host',
    ],
  )
}

function machine({ hardware, mac, os }: Persona, template: Template, catalogue: Catalogue, ouis: Ouis): string[] {
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
  )
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
