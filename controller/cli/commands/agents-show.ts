import type { Command } from 'commander'
import { type Agent, agentPath } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Details = Agent & {
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
    agentRssMb?: number
    spoolMb?: number
    diskUsedPercent?: number
    probes?: Record<string, { ok: boolean; detail: string }>
  } | null
  history: { at: string; kind: string; detail: string }[]
}

const nextWords = ({ nextCertificate: next }: Details) =>
  next ? `given ${shownTime(next.at)}, not used yet` : undefined

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
          ['version', found.version ?? undefined],
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
          ['spool', found.health?.spoolMb === undefined ? undefined : `${found.health.spoolMb.toFixed(1)} MB`],
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
        cli.line('')
        cli.table(
          ['AT', 'WHAT', 'DETAIL'],
          found.history.map((e) => [shownTime(e.at), e.kind, e.detail]),
        )
      })
    })
}
