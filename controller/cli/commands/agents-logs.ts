import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { AgentLogs } from '../../api/routes/agent-care.ts'
import { agentPath } from '../agent-path.ts'
import type { CliContext } from '../context.ts'
import { parseDuration, parseNumber, withQuery } from '../duration.ts'
import { logLine, timeIn } from '../log-line.ts'

type Options = { lines: number; since?: number; follow?: true }

const followMs = 2_000

/** `marshlight agents logs`: what a box says of itself, asked of it now. */
export function logsCommand(agents: Command, cli: CliContext): void {
  agents
    .command('logs <agent>')
    .description('the last lines of its own log, without secrets')
    .option('--lines <n>', 'so many, at most', parseNumber(1, 2000), 100)
    .option('--since <time>', 'of the last 10m, 2h, 1d', parseDuration)
    .option('--follow', 'go on with what comes, until Ctrl-C')
    .addHelpText(
      'after',
      `
Under systemd they come from its journal, else from what the agent itself keeps
of its log (the last 256 kB since it started).

Examples:
  marshlight agents logs office-1
  marshlight agents logs office-1 --since 2h --lines 500
  marshlight agents logs office-1 --json | jq -r '.lines[]'`,
    )
    .action(async (agent: string, { lines, since, follow }: Options) => {
      const ask = (from: string | undefined) =>
        cli.api.get<AgentLogs>(withQuery(agentPath(agent, '/logs'), { lines, since: from }))
      const from = since === undefined ? undefined : new Date(Date.now() - since * 60_000).toISOString()
      const first = await cli.progress('the box is asked', ask(from))
      if (!follow)
        return cli.show(first, () => {
          for (const line of first.lines) cli.raw(`${logLine(line)}\n`)
          if (first.leftOut > 0)
            process.stderr.write(`(${first.leftOut} older lines are not shown: see --lines and --since.)\n`)
        })
      const shown = (line: string) => cli.raw(`${cli.json() ? line : logLine(line)}\n`)
      let told = first.lines
      for (const line of told) shown(line)
      for (;;) {
        await pause(followMs)
        // Of the last second again, since more may have been said in it.
        const { lines: next } = await ask(told.map(timeIn).findLast((time) => time !== undefined) ?? from)
        for (const line of afterThose(told, next)) shown(line)
        if (next.length > 0) told = next
      }
    })
}

/** Of `next`, what comes after the lines known already. */
export function afterThose(known: readonly string[], next: readonly string[]): string[] {
  const last = known.at(-1)
  const at = last === undefined ? -1 : next.lastIndexOf(last)
  return next.slice(at + 1)
}
