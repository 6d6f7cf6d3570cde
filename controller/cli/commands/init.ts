import { isIP } from 'node:net'
import { systemClock } from '../../../shared/clock.ts'
import { MarshlightError } from '../../../shared/errors.ts'
import { initController, openAuthority } from '../../fleet/index.ts'
import type { Migration } from '../../store/port.ts'
import { openSqlite } from '../../store/sqlite.ts'
import type { CliCommand } from '../context.ts'

type Options = { host: string; mqttPort?: number; enrolPort?: number; apiPort?: number; listen?: string }

/** `marshlight init`: the one command that needs no running controller. `database` and its tables come from the composition root. */
export const initCommand =
  (database: { pathIn(dataDir: string): string; migrations: readonly Migration[] }): CliCommand =>
  (program, cli) => {
    program
      .command('init')
      .description('make a controller’s folder: configuration, certificate authority, keys, database')
      .requiredOption('--host <name>', 'name or address under which appliances reach this controller')
      .option('--data <dir>', 'the folder (a global option too)')
      .option('--listen <address>', 'address to listen at; all, unless --host is loopback')
      .option('--mqtt-port <port>', 'instead of 8883', portOf)
      .option('--enrol-port <port>', 'instead of 8884', portOf)
      .option('--api-port <port>', 'serve the API to other machines too, over TLS', portOf)
      .addHelpText(
        'after',
        `
Examples:
  marshlight init --host 10.0.0.5
  marshlight init --host 10.0.0.5 --api-port 8885   for use from elsewhere, too`,
      )
      .action(async (own: Options & { data?: string }) => {
        const dataDir = own.data ?? program.opts<{ data: string }>().data
        await initController({ dataDir, config: configOf(own), now: systemClock.now() })
        await openSqlite(database.pathIn(dataDir), database.migrations).close()
        const { caFingerprint } = await openAuthority(dataDir)
        cli.show({ dataDir, host: own.host, caFingerprint }, () => {
          cli.details([
            ['folder', dataDir],
            ['host', own.host],
            ['CA fingerprint', caFingerprint],
          ])
          cli.line('Next: `marshlight serve`, then `marshlight agents invite --segment NAME`.')
        })
      })
  }

/** Only what differs from the defaults. Others reach the ports only where these are not bound to loopback. */
export function configOf({ host, listen, mqttPort, enrolPort, apiPort }: Options): Record<string, unknown> {
  const local = host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'))
  const at = listen ?? (local ? undefined : '0.0.0.0')
  const place = (name: string, port: number | undefined) =>
    at === undefined && port === undefined ? {} : { [name]: { ...(at && { host: at }), ...(port && { port }) } }
  // The API's address stands there without a port too: whoever adds one for remote use is heard from elsewhere.
  return { publicHost: host, ...place('mqtt', mqttPort), ...place('enrol', enrolPort), ...place('api', apiPort) }
}

function portOf(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new MarshlightError('USAGE', { what: `${text} is not a port`, command: 'marshlight init' })
  return port
}
