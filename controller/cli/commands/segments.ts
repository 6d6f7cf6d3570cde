import { writeFile } from 'node:fs/promises'
import type { Mix, Segment } from '../../segments/index.ts'
import type { CliCommand } from '../context.ts'
import { shownTime } from '../shown-time.ts'

type Shown = Segment & {
  mix: Mix
  hosts: { ip: string; names: string[]; system: string; vendor?: string; status: string; ports: { port: number }[] }[]
}
type ShownHost = {
  ip: string
  mac?: string
  vendor?: string
  names: string[]
  system: string
  status: string
  depth: string
  firstSeen: string
  lastSeen: string
  os: { name: string; accuracy: number }[]
  ports: { port: number; proto: string; service?: string; product?: string; version?: string }[]
  history: { at: string; words: string }[]
}
type Difference = { ip: string; net: string; changes: { at: string; words: string }[] }

export const segmentsCommand: CliCommand = (program, cli) => {
  const segments = program.command('segments').description('What is in each segment, and how it changes.')

  segments
    .command('ls', { isDefault: true })
    .description('all segments')
    .addHelpText('after', '\nExamples:\n  marshlight segments\n  marshlight segments ls --json')
    .action(async () => {
      cli.show(await cli.api.get<{ items: Segment[] }>('/v1/segments'), ({ items }) =>
        cli.table(
          ['SEGMENT', 'NETWORK', 'HOSTS', 'GONE', 'APPLIANCE', 'LAST DETAILS'],
          items.map((one) => [
            `${one.site}/${one.name}`,
            one.cidr,
            one.hostsUp,
            one.hostsGone,
            one.agents.map(({ name }) => name).join(' '),
            shownTime(one.detailDone),
          ]),
        ),
      )
    })

  segments
    .command('show <segment> [host]')
    .description('one segment with its mix and hosts, or one host with its history')
    .addHelpText('after', '\nExamples:\n  marshlight segments show office\n  marshlight segments show office 10.0.0.17')
    .action(async (ref: string, host?: string) => {
      if (host !== undefined) return showHost(ref, host)
      cli.show(await cli.api.get<Shown>(`/v1/segments/${encodeURIComponent(ref)}`), (one) => {
        cli.details([
          ['segment', `${one.site}/${one.name}`],
          ['id', one.id],
          ['network', one.cidr],
          ['gateway', one.gateway],
          ['appliances', one.agents.map(({ name, presence }) => `${name} (${presence})`).join(', ') || 'none'],
          ['quick pass', shownTime(one.quickDone)],
          ['details', shownTime(one.detailDone)],
          ['systems', shares(one.mix.systems)],
          ['services', shares(one.mix.services)],
          ['vendors', shares(one.mix.vendors)],
        ])
        cli.line('')
        cli.table(
          ['ADDRESS', 'NAME', 'SYSTEM', 'VENDOR', 'PORTS'],
          one.hosts.map(({ ip, names, system, vendor, status, ports }) => [
            ip,
            names[0],
            system,
            vendor,
            status === 'gone' ? 'gone' : ports.map(({ port }) => port).join(' '),
          ]),
        )
      })
    })

  async function showHost(ref: string, ip: string): Promise<void> {
    const path = `/v1/segments/${encodeURIComponent(ref)}/hosts/${encodeURIComponent(ip)}`
    cli.show(await cli.api.get<ShownHost>(path), (host) => {
      cli.details([
        ['host', host.ip],
        ['names', host.names.join(', ') || undefined],
        ['MAC', host.mac],
        ['vendor', host.vendor],
        ['system', host.system],
        ['guesses', host.os.map(({ name, accuracy }) => `${name} (${accuracy} %)`).join(', ') || undefined],
        ['status', `${host.status}, looked at: ${host.depth}`],
        ['first seen', shownTime(host.firstSeen)],
        ['last seen', shownTime(host.lastSeen)],
      ])
      cli.line('')
      cli.table(
        ['PORT', 'SERVICE', 'PRODUCT'],
        host.ports.map(({ port, proto, service, product, version }) => [
          `${port}/${proto}`,
          service,
          [product, version].filter(Boolean).join(' '),
        ]),
      )
      cli.line('')
      cli.table(
        ['TIME', 'WHAT HAPPENED'],
        host.history.map(({ at, words }) => [shownTime(at), words]),
      )
    })
  }

  segments
    .command('diff <segment>')
    .description('what changed in a span of time, host by host')
    .option('--since <time>', 'a time (2026-01-31T12:00:00Z) or a span before now (90m, 24h, 7d)', '24h')
    .option('--until <time>', 'end of the span; now if not given')
    .addHelpText('after', '\nExample:\n  marshlight segments diff office --since 7d')
    .action(async (ref: string, { since, until }: { since: string; until?: string }) => {
      const query = new URLSearchParams({ since, ...(until !== undefined && { until }) })
      const path = `/v1/segments/${encodeURIComponent(ref)}/diff?${query}`
      cli.show(await cli.api.get<{ since: string; until: string; items: Difference[] }>(path), (found) => {
        cli.line(`${shownTime(found.since)} to ${shownTime(found.until)}`)
        cli.table(
          ['ADDRESS', 'IN THE END', 'TIME', 'CHANGE'],
          found.items.flatMap(({ ip, net, changes }) =>
            changes.map(({ at, words }, i) => [i === 0 ? ip : '', i === 0 ? net : '', shownTime(at), words]),
          ),
        )
      })
    })

  segments
    .command('map')
    .description('draw the network: segments, hosts, decoys, attackers')
    .option('--svg <file>', 'write a picture instead')
    .addHelpText('after', '\nExamples:\n  marshlight segments map\n  marshlight segments map --svg network.svg')
    .action(async ({ svg }: { svg?: string }) => {
      if (svg !== undefined) {
        await writeFile(svg, await cli.progress('drawing', cli.api.bytes('/v1/map.svg')))
        cli.show({ file: svg }, () => cli.line(`Wrote ${svg}.`))
        return
      }
      const width = Math.max(40, Math.min(400, process.stdout.columns ?? 80))
      // The drawing is made safe for the terminal where it is made.
      cli.show(await cli.api.get<{ text: string }>(`/v1/map?width=${width}`), ({ text }) => cli.raw(text))
    })
}

const shares = (all: readonly { name: string; count: number }[]) =>
  all
    .slice(0, 6)
    .map(({ name, count }) => `${count} ${name}`)
    .join(', ') || undefined
