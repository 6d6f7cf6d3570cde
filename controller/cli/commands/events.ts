import type { Command } from 'commander'
import { jsonForTerminal } from '../../../shared/terminal.ts'
import type { CliCommand, CliContext } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Item = {
  pos: number
  name: string | null
  agent: string
  stream: string
  number: number
  receivedAt: string
  record: Record<string, unknown>
}
type Dead = { id: number; name: string | null; agent: string; topic: string; at: string; why: string; size: number }
type Loss = {
  name: string | null
  agent: string
  stream: string
  first: number
  last: number
  reason: string
  at: string
}
type Filter = {
  agent?: string
  stream?: string
  decoy?: string
  since?: string
  until?: string
  limit?: string
  after?: string
}

const filterNames = ['agent', 'stream', 'decoy', 'since', 'until', 'limit', 'after'] as const

function pathOf(filter: Filter, more: Record<string, string> = {}): string {
  const query = new URLSearchParams(more)
  for (const name of filterNames) if (filter[name] !== undefined) query.set(name, String(filter[name]))
  return `/v1/events?${query}`
}

/** The few words of a record that tell most. */
function wordsFor({ record }: Item): string {
  const src = record.src as { ip?: string } | undefined
  const words = [
    record.kind ?? record.type,
    src?.ip,
    record.username,
    record.command ?? record.url ?? record.phase ?? record.ip,
  ]
  return words.filter((word) => word !== undefined).join(' ')
}

const withFilter = (command: Command) =>
  command
    .option('--agent <agent>', 'of one appliance')
    .option('--stream <name>', 'state, events, files, inventory or health')
    .option('--decoy <id>', 'of one decoy')

/** `marshlight events`: records as the agents sent them. */
export const eventsCommand: CliCommand = (program, cli) => {
  const events = program.command('events').description('records as they came: for looking closely')

  withFilter(events.command('ls', { isDefault: true }).description('the newest records'))
    .option('--since <time>', 'received from then on, e.g. 2026-01-31T12:00:00Z')
    .option('--until <time>', 'received before')
    .option('--limit <n>', 'how many', '50')
    .option('--after <pos>', 'those past this record, oldest first')
    .addHelpText('after', '\nExample:\n  marshlight events ls --agent office-1 --stream events --limit 20')
    .action(async (filter: Filter) => {
      const { items } = await cli.api.get<{ items: Item[] }>(pathOf(filter))
      cli.show(items, () => printItems(cli, items))
    })

  events
    .command('show <pos>')
    .description('one record, whole')
    .addHelpText('after', '\nExample:\n  marshlight events show 1042')
    .action(async (pos: string) => {
      const item = await cli.api.get<Item>(`/v1/events/${encodeURIComponent(pos)}`)
      cli.show(item, () =>
        cli.details([
          ['record', item.pos],
          ['agent', item.name ?? item.agent],
          ['stream', `${item.stream}, number ${item.number}`],
          ['received', shownTime(item.receivedAt)],
          ...Object.entries(item.record).map(
            ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
          ),
        ]),
      )
    })

  withFilter(events.command('follow').description('records as they come, until interrupted'))
    .addHelpText('after', '\nExample:\n  marshlight events follow --stream events')
    .action(async (filter: Filter) => {
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      for await (const item of cli.api.follow<Item>(pathOf(filter, { follow: '1', limit: '1' }), stop.signal)) {
        if (cli.json()) cli.line(jsonForTerminal(item))
        else cli.details([[`${shownTime(item.receivedAt)} ${item.name ?? item.agent}`, wordsFor(item)]])
      }
    })

  events
    .command('dead [id]')
    .description('what could not be used, and why')
    .addHelpText('after', '\nExamples:\n  marshlight events dead\n  marshlight events dead 7')
    .action(async (id: string | undefined) => {
      if (id !== undefined) {
        const letter = await cli.api.get<Dead & { payload: string }>(`/v1/events/dead/${encodeURIComponent(id)}`)
        return cli.show(letter, () =>
          cli.details(Object.entries(letter).map(([key, value]) => [key, value === null ? undefined : String(value)])),
        )
      }
      const { items } = await cli.api.get<{ items: Dead[] }>('/v1/events/dead')
      cli.show(items, () =>
        cli.table(
          ['ID', 'AT', 'AGENT', 'TOPIC', 'SIZE', 'WHY'],
          items.map((d) => [d.id, shownTime(d.at), d.name ?? d.agent, d.topic, d.size, d.why]),
        ),
      )
    })

  events
    .command('losses')
    .description('records that were dropped before they could be sent')
    .addHelpText('after', '\nExample:\n  marshlight events losses')
    .action(async () => {
      const { items } = await cli.api.get<{ items: Loss[] }>('/v1/events/losses')
      cli.show(items, () =>
        cli.table(
          ['AT', 'AGENT', 'STREAM', 'RECORDS', 'REASON'],
          items.map((l) => [shownTime(l.at), l.name ?? l.agent, l.stream, l.last - l.first + 1, l.reason]),
        ),
      )
    })

  events
    .command('totals')
    .description('sums by appliance and stream since the beginning')
    .addHelpText('after', '\nExample:\n  marshlight events totals')
    .action(async () => {
      const { items } = await cli.api.get<{ items: Record<string, string | number | null>[] }>('/v1/events/totals')
      cli.show(items, () =>
        cli.table(
          ['AGENT', 'STREAM', 'COMMITTED', 'LOST', 'DEAD', 'REPEATED'],
          items.map((row) =>
            [row.name ?? row.agent, row.stream, row.committed, row.lost, row.dead, row.duplicated].map(
              (cell) => cell ?? undefined,
            ),
          ),
        ),
      )
    })
}

const printItems = (cli: CliContext, items: readonly Item[]) =>
  cli.table(
    ['POS', 'RECEIVED', 'AGENT', 'STREAM', 'WHAT'],
    items.map((item) => [item.pos, shownTime(item.receivedAt), item.name ?? item.agent, item.stream, wordsFor(item)]),
  )
