import type { Persona, PersonaUser } from '../../../shared/schemas/persona.ts'
import type { PersonaSummary } from '../../personas/index.ts'
import type { CliCommand } from '../context.ts'
import { shownTime } from '../shown-time.ts'
import { personaChanges } from './personas-change.ts'
import { personaComparisons } from './personas-compare.ts'

type Listed = PersonaSummary & { segmentName?: string; decoyIp?: string }
type Shown = { persona: Persona; limits: string[]; versions: PersonaSummary[] }
type Explained = Pick<Persona, 'id' | 'version' | 'hostname' | 'family' | 'reasons'> & { limits: string[] }
type Template = {
  id: string
  label: string
  system: string
  kernels: string[]
  ssh: string[]
  telnet: boolean
  services: string[]
}

const openedBy = ({ name, passwords, acceptFromTry = 1 }: PersonaUser) =>
  `${name} (${passwords.join(', ')}${acceptFromTry > 1 ? `; from try ${acceptFromTry} on` : ''})`

export const personasCommand: CliCommand = (program, cli) => {
  const personas = program.command('personas').description('What decoys pretend to be, and why.')
  const path = (ref: string, tail: string, version?: string) =>
    `/v1/personas/${encodeURIComponent(ref)}${tail}${version === undefined ? '' : `?version=${encodeURIComponent(version)}`}`

  personas
    .command('ls', { isDefault: true })
    .description('all personas in their newest version')
    .addHelpText('after', '\nExamples:\n  marshlight personas\n  marshlight personas ls --json')
    .action(async () => {
      cli.show(await cli.api.get<{ items: Listed[] }>('/v1/personas'), ({ items }) =>
        cli.table(
          ['NAME', 'DECOY', 'SEGMENT', 'SYSTEM', 'VERSION', 'STATUS', 'SINCE'],
          items.map((one) => [
            one.hostname,
            one.decoyIp,
            one.segmentName,
            one.family,
            one.version,
            one.status,
            shownTime(one.createdAt),
          ]),
        ),
      )
    })

  personas
    .command('show <persona>')
    .description('one persona, by the name or address of its decoy or by id')
    .option('--version-number <n>', 'an earlier version')
    .addHelpText('after', '\nExample:\n  marshlight personas show web07')
    .action(async (ref: string, { versionNumber }: { versionNumber?: string }) => {
      cli.show(await cli.api.get<Shown>(path(ref, '', versionNumber)), ({ persona, limits, versions }) => {
        const { os, hardware, mac, ssh, telnet, users, processes, services, files, honey, packages } = persona
        const open = users.filter(({ passwords }) => passwords.length > 0)
        cli.details([
          ['persona', `${persona.id} version ${persona.version}`],
          ['host', [persona.hostname, persona.domain].filter(Boolean).join('.')],
          ['system', os.prettyName],
          ['kernel', `${os.kernel.release} ${os.kernel.build} ${os.kernel.machine}`],
          ['hardware', `${hardware.vendor}, ${hardware.cores} x ${hardware.cpuModel}`],
          ['memory', `${Math.round(hardware.memoryKb / 1024)} MB`],
          ['MAC', `${mac.oui} (${mac.vendor})`],
          ['booted', shownTime(persona.bootedAt)],
          ['SSH', ssh?.banner],
          ['telnet', telnet?.loginPrompt],
          ['users', `${users.length}, open: ${open.map(openedBy).join('; ')}`],
          ['processes', processes.length],
          [
            'services',
            services?.map(({ kind, port, product, version }) => `${kind} ${port} (${product} ${version})`).join(', '),
          ],
          ['network', persona.network && `${persona.network.stack}, TTL ${persona.ttl}`],
          ['beyond Linux', limits.join('; ')],
          ['place', [persona.locale, persona.timezone].filter(Boolean).join(', ')],
          ['packages', packages?.length],
          ['files', files?.length],
          ['honey', honey?.map(({ username, service, path }) => `${username} (${service}) in ${path}`).join('; ')],
        ])
        cli.line('')
        cli.table(
          ['VERSION', 'SINCE', 'WHY'],
          versions.map(({ version, createdAt, status, reason }) => [
            version,
            shownTime(createdAt),
            status === 'waiting' ? `waits for approval: ${reason}` : reason,
          ]),
        )
      })
    })

  personas
    .command('explain <persona>')
    .description('the reason for each choice')
    .addHelpText('after', '\nExample:\n  marshlight personas explain 10.0.0.93')
    .action(async (ref: string) => {
      cli.show(
        await cli.api.get<Explained>(path(ref, '/explain')),
        ({ hostname, family, version, reasons, limits }) => {
          cli.details([['persona', `${hostname}, ${family}, version ${version}`]])
          cli.line('')
          cli.details(reasons.map(({ field, because }) => [field, because] as const))
          if (limits.length === 0) return
          cli.line('')
          cli.line('Its packets are made by a Linux kernel, which cannot do all that such a host does:')
          for (const limit of limits) cli.line(`- ${limit}`)
        },
      )
    })

  personas
    .command('catalogue')
    .description('the systems that can be imitated')
    .addHelpText('after', '\nExample:\n  marshlight personas catalogue')
    .action(async () => {
      cli.show(await cli.api.get<{ items: Template[] }>('/v1/catalogue'), ({ items }) =>
        cli.table(
          ['ID', 'SYSTEM', 'SERVICES', 'KERNELS'],
          items.map(({ id, system, ssh, telnet, services, kernels }) => [
            id,
            system,
            [ssh.length > 0 ? 'ssh' : '', telnet ? 'telnet' : '', ...services].filter(Boolean).join(' '),
            kernels.join(' '),
          ]),
        ),
      )
    })

  personaComparisons(personas, cli)
  personaChanges(personas, cli)
}
