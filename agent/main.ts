import { Command, CommanderError, Option } from 'commander'
import { systemClock } from '../shared/clock.ts'
import type { LogLevel } from '../shared/log.ts'
import { systemRandom } from '../shared/random.ts'
import { onReaderGone } from '../shared/terminal.ts'
import { exitCodeOf, printError, systemTerminal } from './cli/print.ts'
import { agentVersion, defaultStateDir, stateDirOf } from './config.ts'
import type { Role } from './enrol/identity-roles.ts'

/** Entry of `marshlight-agent`. Each command is imported when it is called: a small box pays for nothing it does not use. */
const terminal = systemTerminal
onReaderGone(process.stdout, process.argv.includes('run'))
const shared = { clock: systemClock, random: systemRandom }

const stateOption = () =>
  new Option('--state <dir>', `state folder (default: $MARSHLIGHT_AGENT_STATE or ${defaultStateDir})`)
const stateDir = (o: { state?: string }) => stateDirOf(o.state, process.env)
const role = (value: string, before: Role[] = []): Role[] => {
  if (value !== 'decoys' && value !== 'enforcer')
    throw new CommanderError(2, 'marshlight.option', `error: --role is ${value}; it is decoys or enforcer`)
  return [...before, value]
}

const seconds = (value: string): number => {
  if (!/^\d+$/.test(value) || Number(value) < 30 || Number(value) > 3600)
    throw new CommanderError(2, 'marshlight.option', `error: --confirm-within is ${value}; it is 30 to 3600`)
  return Number(value)
}

type Common = { state?: string; json?: boolean }
type EnrolFlags = Common & { controller?: string; token?: string; tokenFile?: string; code?: boolean; role?: Role[] }
const program = new Command('marshlight-agent')
  .description(
    'The appliance’s side of Marshlight: scans its segments, keeps decoys, applies blocks, reports to the controller.',
  )
  .version(agentVersion)
  .showHelpAfterError('(--help shows what is allowed)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  marshlight-agent enrol --controller 10.0.0.5:8884 --token-file office.token
  marshlight-agent doctor                 what is missing here, and the remedy
  marshlight-agent run                    in the foreground; stops on SIGTERM
  marshlight-agent status --json | jq .link
  marshlight-agent cleanup --dry-run      what would be removed

Exit codes: 0 done and well, 1 failed or not well, 2 wrong use, 3 this box was
taken back by its controller.`,
  )

const command = (name: string, ...examples: string[]) =>
  program
    .command(name)
    .addOption(stateOption())
    .exitOverride()
    .addHelpText('after', ['\nExamples:', ...examples.map((one) => `  marshlight-agent ${name}${one}`)].join('\n'))

command(
  'enrol',
  ' --controller 10.0.0.5:8884 --token-file office.token',
  ' --token-file - < office.token',
  ' --controller 10.0.0.5 --code',
)
  .description('make this machine an agent of a controller')
  .option('--controller <host:port>', 'the controller’s enrolment address (default: the one in the token)')
  .option(
    '--token <token>',
    'the invitation (`marshlight agents invite`); other users see arguments: prefer --token-file',
  )
  .option('--token-file <file>', 'file with the invitation, or the one of a card; - for standard input')
  .option('--code', 'ask for the code of an invitation (`agents invite --code`)')
  .option('--role <role>', 'decoys or enforcer, may be repeated; the invitation decides', role)
  .option('--json', 'print the result as JSON')
  .action(async (o: EnrolFlags) => {
    const { enrolCommand } = await import('./cli/enrol.ts')
    await end(o, () =>
      enrolCommand(
        {
          stateDir: stateDir(o),
          roles: o.role ?? ['decoys'],
          json: o.json === true,
          ...(o.controller !== undefined && { controller: o.controller }),
          ...(o.token !== undefined && { token: o.token }),
          ...(o.tokenFile !== undefined && { tokenFile: o.tokenFile }),
          ...(o.code === true && { code: true }),
          ...shared,
        },
        terminal,
      ),
    )
  })

command('first-boot', '', ' --log-level debug')
  .description('enrol by the file on the card or a stick, and set what it says of the network')
  .option('--clock', 'set only the clock of a box that is enrolled')
  .addOption(new Option('--log-level <level>', 'how much to log').choices(['debug', 'info', 'warn', 'error', 'silent']))
  .addHelpText(
    'after',
    `
For appliances; it runs at each start, and ends at once where nothing is to be
done. It looks for marshlight-enrol.json on FAT partitions and sticks, sets
address, VLANs, time servers and host name, enrols, and takes the claim out of
the file. It waits for what is missing, and says so on the box's screen. With
--clock it asks the controller of an enrolled box for the time, for an hour at
most, unless a time server has set the clock.

Exit codes: 0 enrolled, or the clock is right; 1 stopped before, or nobody told
the time; 2 wrong use.`,
  )
  .action(async (o: Common & { logLevel?: LogLevel; clock?: true }) => {
    const given = { stateDir: stateDir(o), ...(o.logLevel !== undefined && { logLevel: o.logLevel }), ...shared }
    if (o.clock) {
      const { clockCommand } = await import('./cli/own-clock.ts')
      return end(o, () => clockCommand(given))
    }
    const { firstBootCommand } = await import('./cli/first-boot.ts')
    await end(o, () => firstBootCommand(given))
    // A check that is under way must not keep an enrolled box from becoming an agent.
    process.exit()
  })

command('run', '', ' --log-level debug')
  .description('run the agent until SIGTERM')
  .addOption(new Option('--log-level <level>', 'how much to log').choices(['debug', 'info', 'warn', 'error', 'silent']))
  .action(async (o: Common & { logLevel?: LogLevel }) => {
    const { run } = await import('./cli/run.ts')
    await end(o, () =>
      run({ stateDir: stateDir(o), ...(o.logLevel !== undefined && { logLevel: o.logLevel }), ...shared }),
    )
    // Whatever a library left open must not keep a stopped agent from ending.
    process.exit()
  })

command('status', '', ' --json | jq .link')
  .description('what the running agent says of itself')
  .option('--json', 'print it as JSON')
  .action(async (o: Common) => {
    const { status } = await import('./cli/status.ts')
    await end(o, () => status({ stateDir: stateDir(o), json: o.json === true }, terminal))
  })

command('doctor', '', ' --json')
  .description('look at this box and its network, with one next step for each fault')
  .option('--json', 'print it as JSON')
  .addHelpText(
    'after',
    `
It takes up to half a minute. It asks the segment's hosts (ARP), name servers
and DHCP servers, takes a second address for a few seconds to see whether the
switch lets it through, and changes nothing.

  ok    well            note  well, but good to know
  FAIL  to be mended: do what stands after ->
  skip  unknown until what it names is mended

Exit codes: 0 nothing to mend, 1 something to mend, 2 wrong use.`,
  )
  .action(async (o: Common) => {
    const { doctor } = await import('./cli/doctor.ts')
    await end(o, () => doctor({ stateDir: stateDir(o), json: o.json === true, ...shared }, terminal))
  })

command('update', ' --from /media/stick/release', ' --from release-1.4.2.tar --json')
  .description('take a signed release from a stick: the agent, decoys’ images, the system')
  .requiredOption('--from <path>', 'folder of the release, or a tar archive of it')
  .option('--allow-older', 'take it though this box runs, or ran, a newer one')
  .option('--once', 'not what this box took or tried before: as it takes sticks by itself')
  .option('--confirm-within <seconds>', 'until it has to be well, or the box goes back (30 to 3600)', seconds, 600)
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `
It is verified by the release keys of this box, and tried as an update by the
controller is: what does not come up well goes back by itself.

Exit codes: 0 taken (or waiting for the agent to run), 1 not taken, 2 wrong use.`,
  )
  .action(async (o: Common & { from: string; allowOlder?: boolean; once?: boolean; confirmWithin: number }) => {
    const { update } = await import('./cli/update.ts')
    const { from, allowOlder = false, once = false, confirmWithin: confirmWithinSeconds } = o
    const options = { from, allowOlder, once, confirmWithinSeconds }
    await end(o, () => update({ stateDir: stateDir(o), ...options, json: o.json === true, ...shared }, terminal))
  })

command('cleanup', ' --dry-run', ' --forget')
  .description('remove what the agent made on this machine: containers, networks, packet filters')
  .option('--forget', 'remove the state folder too: the machine has to enrol anew')
  .option('--dry-run', 'only say what would be removed')
  .option('--json', 'print the result as JSON')
  .action(async (o: Common & { forget?: boolean; dryRun?: boolean }) => {
    const { cleanup } = await import('./cli/cleanup.ts')
    const options = { forget: o.forget === true, dryRun: o.dryRun === true, json: o.json === true }
    await end(o, () => cleanup({ stateDir: stateDir(o), ...options, ...shared }, terminal))
  })

program
  .command('audit-probe', { hidden: true })
  .description('what an audit runs in a network of its own; not for people')
  .exitOverride()
  .action(async () => {
    const { lookAround } = await import('./audit/looker.ts')
    process.exit(await lookAround())
  })

async function end(o: Common, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    printError(terminal, error, o.json === true)
    process.exitCode = exitCodeOf(error)
  }
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  if (error.code === 'marshlight.option') terminal.err(error.message)
  // Help and version are no errors; everything else commander throws is a wrong use.
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
