import { once } from 'node:events'
import { systemClock } from '../../../shared/clock.ts'
import { type LogLevel, makeLog } from '../../../shared/log.ts'
import { systemRandom } from '../../../shared/random.ts'
import type { CliCommand } from '../context.ts'

/** `marshlight serve`: runs until it is told to stop. */
export const serveCommand: CliCommand = (program, cli) => {
  program
    .command('serve')
    .description('run the controller')
    .option('--log <level>', 'debug, info, warn, error or silent', 'info')
    .addHelpText('after', '\nExample:\n  marshlight serve --data /var/lib/marshlight')
    .action(async ({ log: level }: { log: LogLevel }) => {
      const { data } = program.opts<{ data: string }>()
      // Loaded here, since the other commands need none of it.
      const { serve } = await import('../../serve/index.ts')
      const log = makeLog('controller', level)
      const asked = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
      const serving = await serve({ dataDir: data, clock: systemClock, random: systemRandom, log })
      const { mqtt, enrol } = serving.ports
      cli.line(`The controller runs: agents at port ${mqtt}, enrolment at port ${enrol}.`)
      await asked
      await serving.stop()
    })
}
