import { createInterface } from 'node:readline/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { MarshlightError } from '../../../shared/errors.ts'
import type { AnnouncedBundle, Findings } from '../../api/routes/agent-care.ts'
import { typedName } from '../../fleet/index.ts'
import { type Agent, agentPath, dry } from '../agent-path.ts'
import { arrived, saveNew } from '../arrival.ts'
import type { CliContext } from '../context.ts'
import { wrapped } from '../print.ts'
import { shownTime } from '../shown-time.ts'

type WithHistory = Agent & { history: { at: string; kind: string; detail: string }[] }

const pollMs = 500
const wipeWithinMs = 30_000
const backWithinMs = 15 * 60_000

/** `marshlight agents doctor|reboot|support-bundle|wipe`: what is asked of one box, which answers itself. */
export function remoteCommands(agents: Command, cli: CliContext): void {
  agents
    .command('doctor <agent>')
    .description('have it look at itself and its network; up to half a minute')
    .addHelpText(
      'after',
      '\nExit code 1 where something is to be mended.\n\nExample:\n  marshlight agents doctor office-1',
    )
    .action(async (agent: string) => {
      const asked = cli.api.post<Findings>(agentPath(agent, '/doctor'))
      const found = await cli.progress('the box looks at itself', asked)
      cli.show(found, ({ checks }) => {
        for (const one of checks) cli.line(findingLines(one))
      })
      if (!found.ok) process.exitCode = 1
    })

  agents
    .command('reboot <agent>')
    .description('restart the box')
    .option('--wait', 'until it is back')
    .option('--dry-run', 'only say what would happen')
    .addHelpText(
      'after',
      '\nExamples:\n  marshlight agents reboot office-1 --wait\n  marshlight agents reboot office-1 --dry-run',
    )
    .action(async (agent: string, options: { wait?: true; dryRun?: true }) => {
      const done = await cli.api.post<Agent & { inSeconds: number }>(agentPath(agent, `/reboot${dry(options)}`))
      const { name } = done
      if (options.dryRun) return cli.show(done, () => cli.line(`Would restart ${name}, which is ${done.presence}.`))
      if (!options.wait)
        return cli.show(done, () =>
          cli.line(
            `${name} restarts in ${done.inSeconds} s; \`marshlight agents show ${typedName(done)}\` tells when it is back.`,
          ),
        )
      const back = await cli.progress(`${name} restarts`, backAgain(done))
      cli.show(back, () => cli.line(`${name} is back since ${shownTime(back.presenceAt ?? undefined)}.`))
    })

  agents
    .command('support-bundle <agent>')
    .description('what somebody who helps needs of it, without secrets, as one file')
    .requiredOption('--out <file>', 'write it to FILE (.tar.gz, mode 0600)')
    .addHelpText(
      'after',
      `
In it: status, the doctor's findings, its configuration, recent log lines,
versions, Docker, network, and what it shall do. Not in it: keys, tokens,
passwords, what its decoys pretend and what attackers left there.

Example:
  marshlight agents support-bundle office-1 --out office-1.tar.gz`,
    )
    .action(async (agent: string, { out }: { out: string }) => {
      const asked = cli.api.post<AnnouncedBundle>(agentPath(agent, '/support-bundle'))
      const told = await cli.progress('the box gathers it', asked)
      await saveNew(out, await arrived(cli, `/v1/support-bundles/${told.sha256}`, told), '--out')
      cli.show({ ...told, file: out }, () => {
        cli.line(wrapped(`${out}: ${Math.ceil(told.bytes / 1024)} kB, ${told.files.length} files.`, 2))
        cli.line('Look through it before you hand it on: addresses and host names are in it.')
      })
    })

  agents
    .command('wipe <agent>')
    .description('cut it off, and have it forget its keys and records')
    .option('--reason <text>', 'why')
    .option('--yes', 'without asking for its name again')
    .option('--dry-run', 'only say what would happen')
    .addHelpText(
      'after',
      `
It is revoked at once. The signed order to wipe waits for the box, which asks
for it as soon as it next tries to connect.

Examples:
  marshlight agents wipe office-1 --reason "box was stolen"
  marshlight agents wipe office-1 --yes`,
    )
    .action(async (agent: string, options: { reason?: string; yes?: true; dryRun?: true }) => {
      const { name, status } = await cli.api.get<Agent>(agentPath(agent))
      if (!options.dryRun && !options.yes) await confirmName(name)
      const body = options.reason ? { reason: options.reason } : {}
      const done = await cli.api.post<Agent>(agentPath(agent, `/wipe${dry(options)}`), body)
      if (options.dryRun)
        return cli.show(done, () => cli.line(`Would ${status === 'revoked' ? '' : 'revoke and '}wipe ${name}.`))
      const at = await cli.progress(`${name} is told`, toldToWipe(done.id))
      cli.show({ ...done, toldToWipe: at ?? null }, () =>
        cli.line(
          at
            ? `${name} was cut off, and took the order to wipe at ${shownTime(at)}.`
            : `${name} is cut off. It did not ask yet: it wipes itself when it next reaches the controller.`,
        ),
      )
    })

  /** Presence that is newer than the restart; it may come back so fast that nobody saw it go. */
  async function backAgain({ id, name, presenceAt: before }: Agent): Promise<Agent> {
    for (const began = Date.now(); Date.now() - began < backWithinMs; await pause(pollMs)) {
      const now = await cli.api.get<Agent>(agentPath(id))
      if (now.presence === 'online' && now.presenceAt !== before) return now
    }
    throw new MarshlightError('TIMEOUT', {
      what: `${name} did not come back: restarting`,
      seconds: backWithinMs / 1000,
      next: 'Look at the box itself, or at `marshlight agents show`.',
    })
  }

  async function toldToWipe(id: string): Promise<string | undefined> {
    for (const began = Date.now(); Date.now() - began < wipeWithinMs; await pause(pollMs)) {
      const { history } = await cli.api.get<WithHistory>(agentPath(id))
      // Newest first: an order from before it was enrolled anew stands behind the last revocation.
      const found = history.find(({ kind }) => kind === 'told to wipe' || kind === 'revoked')
      if (found?.kind === 'told to wipe') return found.at
    }
    return undefined
  }
}

function findingLines({ name, ok, detail, next, follows }: Findings['checks'][number]): string {
  const mark = follows !== undefined ? 'skip' : !ok ? 'FAIL' : next === undefined ? 'ok' : 'note'
  const told = follows === undefined ? detail : `unknown until "${follows}" above is mended`
  const head = wrapped(`${mark.padEnd(4)}  ${name}: ${told}`, 6)
  return next === undefined ? head : `${head}\n${wrapped(`      -> ${next}`, 9)}`
}

async function confirmName(name: string): Promise<void> {
  const next = 'Nothing was done.'
  if (!process.stdin.isTTY)
    throw new MarshlightError('CONFLICT', {
      what: `wiping ${name} was not confirmed: there is nobody to ask`,
      next: 'Give --yes.',
    })
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const said = await asking.question(`This ends ${name} for good. Write its name to go on: `)
  asking.close()
  if (said.trim() !== name) throw new MarshlightError('CONFLICT', { what: `that is not ${name}`, next })
}
