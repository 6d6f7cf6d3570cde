import { Option } from 'commander'
import { writeFileAtomic } from '../../../shared/files.ts'
import type { CliCommand } from '../context.ts'
import { shownTime } from '../shown-time.ts'
import { waitingCommands } from './agents-waiting.ts'

type Agent = {
  id: string
  name: string
  roles: string[]
  status: string
  presence: string
  lastSeen: string | null
  version: string | null
  hostname: string | null
  enrolledAt: string
  certificateExpires: string | null
  segments: { name: string; site: string; cidr: string | null; address: string | null }[]
}
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
type Invitation = { token: string; segment: string; expiresAt: string; controller: string }

const path = (agent: string, rest = '') => `/v1/agents/${encodeURIComponent(agent)}${rest}`
const dry = (options: { dryRun?: boolean }) => (options.dryRun ? '?dryRun=1' : '')

const nextWords = ({ nextCertificate: next }: Details) =>
  next ? `given ${shownTime(next.at)}, not used yet` : undefined

/** `marshlight agents`: the appliances. */
export const agentsCommand: CliCommand = (program, cli) => {
  const agents = program.command('agents').description('appliances: who is enrolled and how they are')

  async function handOver(items: Invitation[], first: Invitation, out: string | undefined): Promise<void> {
    const tokens = items.map(({ token }) => token)
    if (out) await writeFileAtomic(out, `${tokens.join('\n')}\n`, 0o600)
    cli.show(out ? items.map(({ token: _token, ...rest }) => rest) : items, () => {
      if (!out) for (const token of tokens) cli.line(token)
      const how = out ? `--token-file ${out}` : '--token TOKEN'
      process.stderr.write(
        `Serves once, until ${shownTime(first.expiresAt)}. On the appliance:\n  marshlight-agent enrol --controller ${first.controller} ${how}\n`,
      )
    })
  }

  agents
    .command('ls', { isDefault: true })
    .description('list them')
    .addHelpText('after', '\nExamples:\n  marshlight agents\n  marshlight agents ls --json')
    .action(async () => {
      const { items } = await cli.api.get<{ items: Agent[] }>('/v1/agents')
      cli.show(items, () =>
        cli.table(
          ['NAME', 'SEGMENT', 'STATUS', 'LAST SEEN', 'ROLES'],
          items.map((agent) => [
            agent.name,
            agent.segments.map(({ name }) => name).join(', '),
            agent.status === 'enrolled' ? agent.presence : agent.status,
            shownTime(agent.lastSeen ?? undefined),
            agent.roles.join(', '),
          ]),
        ),
      )
    })

  agents
    .command('show <agent>')
    .description('one of them: documents, streams, health, history')
    .addHelpText('after', '\nExample:\n  marshlight agents show office-1')
    .action(async (agent: string) => {
      cli.show(await cli.api.get<Details>(path(agent)), (found) => {
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

  agents
    .command('invite')
    .description('make a token for a new one')
    .requiredOption('--segment <name>', 'the segment it will stand in; made if new')
    .option('--site <name>', 'the site of the segment; made if new', 'main')
    .option('--name <name>', 'its name; else that of its machine')
    .addOption(new Option('--role <role...>', 'what it may do').choices(['decoys', 'enforcer']).default(['decoys']))
    .option('--count <n>', 'how many tokens', Number, 1)
    .option('--hours <n>', 'how long a token is good', Number, 24)
    .option('--from <network...>', 'where it may be used from, as 198.18.3.0/24')
    .option('--out <file>', 'write the token to a file that only you can read, one a line')
    .option('--dry-run', 'only say what would be made')
    .addHelpText(
      'after',
      `
Examples:
  marshlight agents invite --site hq --segment office
  marshlight agents invite --segment dmz --role enforcer --out token.txt`,
    )
    .action(async (options) => {
      const { site, segment, name, role: roles, count, hours, from } = options
      const body = { site, segment, ...(name && { name }), roles, count, hours, ...(from && { from }) }
      const { items } = await cli.api.post<{ items: Invitation[] }>(`/v1/agents/invite${dry(options)}`, body)
      const [first] = items
      if (options.dryRun || !first)
        return cli.show(items, () =>
          cli.line(`Would make ${items.length} token(s) for segment ${segment} of site ${site}.`),
        )
      await handOver(items, first, options.out)
    })

  agents
    .command('replace <agent>')
    .description('make a token by which another box takes its place')
    .option('--now', 'cut the old box off now, not when the new one comes')
    .option('--hours <n>', 'how long the token is good', Number, 24)
    .option('--out <file>', 'write the token to a file that only you can read')
    .option('--dry-run', 'only say what would happen')
    .addHelpText(
      'after',
      `
The new box has the name, segments, roles and decoys of the old one, whose
certificate ends; the old box wipes itself when it next hears of it.

Example:
  marshlight agents replace office-1 --out token.txt`,
    )
    .action(async (agent: string, options) => {
      const body = { hours: options.hours, atOnce: options.now === true }
      const made = await cli.api.post<Invitation & { name: string }>(path(agent, `/replace${dry(options)}`), body)
      if (options.dryRun)
        return cli.show(made, ({ name, segment }) =>
          cli.line(`Would make a token for a box that takes the place of ${name} in ${segment}.`),
        )
      await handOver([made], made, options.out)
    })

  waitingCommands(agents, cli)

  agents
    .command('revoke <agent>')
    .description('cut it off, at once')
    .addHelpText('after', '\nExample:\n  marshlight agents revoke office-1 --reason "box was stolen" --dry-run')
    .option('--reason <text>', 'why')
    .option('--dry-run', 'only say what would happen')
    .action(async (agent: string, options) => {
      const body = options.reason ? { reason: options.reason } : {}
      const done = await cli.api.post<Agent>(path(agent, `/revoke${dry(options)}`), body)
      cli.show(done, ({ name }) => cli.line(`${options.dryRun ? 'Would revoke' : 'Revoked'} ${name}.`))
    })

  agents
    .command('rename <agent> <name>')
    .description('give it another name')
    .addHelpText('after', '\nExample:\n  marshlight agents rename office-1 reception')
    .option('--dry-run', 'only say what would happen')
    .action(async (agent: string, name: string, options) => {
      const done = await cli.api.put<Agent>(path(agent, dry(options)), { name })
      cli.show(done, () => cli.line(`${options.dryRun ? 'Would rename' : 'Renamed'} ${agent} to ${name}.`))
    })

  agents
    .command('remove <agent>')
    .description('forget a revoked one')
    .addHelpText('after', '\nExample:\n  marshlight agents remove office-1')
    .option('--dry-run', 'only say what would happen')
    .action(async (agent: string, options) => {
      const done = await cli.api.delete<Agent>(path(agent, dry(options)))
      cli.show(done, ({ name }) => cli.line(`${options.dryRun ? 'Would remove' : 'Removed'} ${name}.`))
    })
}
