import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { Test } from 'tap'
import { makeApi } from '../../../controller/api/server.ts'
import { makeClient } from '../../../controller/cli/client.ts'
import type { CliContext } from '../../../controller/cli/context.ts'
import { detailsText, tableText } from '../../../controller/cli/print.ts'
import { parseConfig } from '../../../controller/config.ts'
import type { Migration } from '../../../controller/store/port.ts'
import { makeBus } from '../../../controller/work/bus.ts'
import { silentLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import type { Request } from '../../../shared/schemas/desired-state.ts'
import { card, host, iso, scan, testFleet } from './fleet.ts'

export type Given = {
  routes: Parameters<typeof makeApi>[0]
  commands: readonly ((program: Command, cli: CliContext) => void)[]
  /** What stands in `config.json`. */
  config?: object
  /** Tables of rooms that the fleet has none of. */
  tables?: readonly Migration[]
}

/**
 * A fleet of one appliance that has seen three hosts; a real API on a socket over its database, with a real client and the
 * command line in front. What is printed is collected; what is asked of the appliance too.
 */
export async function apiWorld(t: Test, { routes, commands, config: settings = {}, tables = [] }: Given) {
  const fleet = await testFleet(t, tables)
  // Not t.testdir(): the path of a socket may have 107 bytes.
  const dataDir = mkdtempSync(join(tmpdir(), 'marshlight-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const config = parseConfig(JSON.stringify(settings), 'config.json')
  const bus = makeBus()
  const asked: Request['op'][] = []
  const send = async (_agent: string, op: Request['op']) => {
    asked.push(op)
    return { id: fleet.ids.agent, at: iso(0), ok: true }
  }
  const { store, clock } = fleet
  const deps = { config, dataDir, store, bus, clock, random: systemRandom, log: silentLog, requests: { send } }
  const { run, output } = await commandLine(t, dataDir, { routes, commands }, deps)
  await fleet.see(card(), ...[10, 11, 12].map((n) => host(n)), scan('quick', 5), scan('detail', 40))
  return { ...fleet, config, dataDir, bus, asked, run, output }
}

/** A real API on a socket, with a real client and the command line in front; what is printed is collected. */
export async function commandLine(
  t: Test,
  dataDir: string,
  { routes, commands }: Pick<Given, 'routes' | 'commands'>,
  deps: Parameters<typeof makeApi>[1],
) {
  const socket = join(dataDir, 'api.sock')
  const server = makeApi(routes, deps, { socket })
  await server.start(new AbortController().signal)
  t.teardown(() => server.stop())
  let printed = ''
  let json = false
  const print = (text: string) => {
    printed += text
  }
  const cli: CliContext = {
    api: makeClient(() => ({ socket })),
    json: () => json,
    show: (value, human) => (json ? print(JSON.stringify(value)) : human(value)),
    table: (columns, rows) => print(`${rows.length === 0 ? '' : tableText(columns, rows, 80)}\n`),
    details: (pairs) => print(`${detailsText(pairs)}\n`),
    line: (text) => print(`${text}\n`),
    raw: print,
    progress: (_what, work) => work,
  }
  const run = async (...words: string[]): Promise<string> => {
    printed = ''
    json = words.includes('--json')
    const program = new Command().option('--json').exitOverride()
    for (const command of commands) command(program, cli)
    await program.parseAsync(words, { from: 'user' })
    return printed
  }
  return { run, output: () => printed }
}
