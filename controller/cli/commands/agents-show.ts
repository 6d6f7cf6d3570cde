import type { Command } from 'commander'
import { type Hardware, shortHardware } from '../../../shared/schemas/hardware.ts'
import { type Agent, agentPath } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Details = Agent & {
  hardware: (Hardware & { address: string | null; since: string }) | null
  keyHeldBy: 'tpm' | 'file' | null
  running: (Partial<Record<'agent' | 'decoys' | 'system' | 'slot', string>> & { arch: string }) | null
  decoys: { wanted: number; ready: number }
  deviations: { what: string; has: string; should: string }[]
  nextCertificate: { expires: string; at: string } | null
  renewedAt: string | null
  documents: {
    kind: string
    revision: number
    heldRevision: number | null
    outcome: string | null
    reason: string | null
  }[]
  streams: {
    stream: string
    committed: number
    dead: number
    lost: number
    duplicated: number
    lastAt: string | null
  }[]
  health: {
    cpuPercent?: number
    temperatureC?: number
    agentRssMb?: number
    spoolMb?: number
    diskUsedPercent?: number
    probes?: Record<string, { ok: boolean; detail: string }>
  } | null
  said: { at: string; level: string; message: string }[]
  history: { at: string; kind: string; detail: string }[]
}

const nextWords = ({ nextCertificate: next }: Details) =>
  next ? `given ${shownTime(next.at)}, not used yet` : undefined

/** Where the box's page was when it last said how it is. */
const pageOf = (health: Details['health']): string | undefined => {
  const told = health?.probes?.page?.detail
  return told?.startsWith('http://') ? told : undefined
}

const healthWords = (health: Details['health']): string | undefined => {
  const { cpuPercent: cpu, diskUsedPercent: disk, temperatureC: warm } = health ?? {}
  const told = [
    ...(cpu === undefined ? [] : [`CPU ${Math.round(cpu)} %`]),
    ...(disk === undefined ? [] : [`disk ${Math.round(disk)} % full`]),
    ...(warm === undefined ? [] : [`${Math.round(warm)} °C`]),
  ]
  return told.length > 0 ? told.join(', ') : undefined
}

const runsWords = ({ arch, slot, ...parts }: NonNullable<Details['running']>): string =>
  [
    ...(['agent', 'decoys', 'system'] as const).flatMap((one) => (parts[one] ? [`${one} ${parts[one]}`] : [])),
    `on ${arch}${slot ? `, slot ${slot}` : ''}`,
  ].join(', ')

/** `marshlight agents show`: one box. */
export function showCommand(agents: Command, cli: CliContext): void {
  agents
    .command('show <agent>')
    .description('one of them: documents, streams, health, history')
    .addHelpText('after', '\nExample:\n  marshlight agents show office-1')
    .action(async (agent: string) => {
      cli.show(await cli.api.get<Details>(agentPath(agent)), (found) => {
        cli.details([
          ['name', found.name],
          ['id', found.id],
          ['status', `${found.status}, ${found.presence}`],
          ['roles', found.roles.join(', ')],
          ['host', found.hostname ?? undefined],
          ['tags', found.tags?.join(' ') || undefined],
          ['version', found.version ?? undefined],
          ['runs', found.running ? runsWords(found.running) : undefined],
          [
            'hardware',
            found.hardware ? `${shortHardware(found.hardware)}, since ${shownTime(found.hardware.since)}` : undefined,
          ],
          [
            'key',
            found.keyHeldBy === 'tpm'
              ? 'held by the box’s TPM'
              : (found.keyHeldBy && 'in a file of the box') || undefined,
          ],
          ['packages', found.health?.probes?.packages?.detail],
          ['status page', pageOf(found.health)],
          ['connects from', found.hardware?.address ?? undefined],
          ['decoys', `${found.decoys.ready} of ${found.decoys.wanted} ready`],
          ['enrolled', shownTime(found.enrolledAt)],
          ['last seen', shownTime(found.lastSeen ?? undefined)],
          ['certificate until', shownTime(found.certificateExpires ?? undefined)],
          ['renewed', shownTime(found.renewedAt ?? undefined)],
          ['next certificate', nextWords(found)],
          ...found.segments.map(
            ({ site, name, cidr, address }) => ['segment', `${site}/${name} ${cidr ?? ''} ${address ?? ''}`] as const,
          ),
          ...found.documents.map(
            (d) =>
              [
                d.kind,
                `revision ${d.revision}; agent: ${d.heldRevision ?? '-'} ${d.outcome ?? ''} ${d.reason ?? ''}`,
              ] as const,
          ),
          ['memory', found.health?.agentRssMb === undefined ? undefined : `${Math.round(found.health.agentRssMb)} MB`],
          ['load', healthWords(found.health)],
          ['spool', found.health?.spoolMb === undefined ? undefined : `${found.health.spoolMb.toFixed(1)} MB`],
          ...found.deviations.map(
            ({ what, has, should }) => ['differs', `${what}: has ${has}, should ${should}`] as const,
          ),
          ...Object.entries(found.health?.probes ?? {})
            .filter(([, { ok }]) => !ok)
            .map(([name, { detail }]) => ['trouble', `${name}: ${detail}`] as const),
        ])
        cli.line('')
        cli.table(
          ['STREAM', 'COMMITTED', 'LOST', 'DEAD', 'REPEATED', 'LAST'],
          found.streams.map((s) => [
            s.stream,
            s.committed,
            s.lost,
            s.dead,
            s.duplicated,
            shownTime(s.lastAt ?? undefined),
          ]),
        )
        if (found.said.length > 0) {
          cli.line('')
          cli.table(
            ['AT', 'LEVEL', 'IT SAID'],
            found.said.map(({ at, level, message }) => [shownTime(at), level, message]),
          )
        }
        cli.line('')
        cli.table(
          ['AT', 'WHAT', 'DETAIL'],
          found.history.map((e) => [shownTime(e.at), e.kind, e.detail]),
        )
      })
    })
}
