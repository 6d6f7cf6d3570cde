import { InvalidArgumentError } from 'commander'
import { MarshlightError } from '../../../shared/errors.ts'
import type { AnnouncedCapture } from '../../api/routes/captures.ts'
import { arrived, saveNew } from '../arrival.ts'
import type { CliCommand } from '../context.ts'
import { parseDuration } from '../duration.ts'
import { shownTime } from '../shown-time.ts'

type Options = { last?: number; from?: string; to?: string; most: number; output: string }

/** `decoys capture`: beside the other commands on decoys. */
export const decoysCaptureCommand: CliCommand = (program, cli) => {
  const decoys = program.commands.find((one) => one.name() === 'decoys')
  if (!decoys) throw new Error('the command `decoys` has to be there first')

  decoys
    .command('capture <decoy>')
    .description('what was said to and by a decoy, as a capture file that Wireshark opens')
    .option('--last <time>', 'the last 10m, 2h, 1d', parseDuration)
    .option('--from <time>', 'from this time on, as 2026-03-02T10:00:00Z', parseTime)
    .option('--to <time>', 'until this time', parseTime)
    .option('--most <size>', 'at most so much, the newest of it; up to 64MB', parseSize, 16)
    .requiredOption('-o, --output <file>', 'write it to FILE (mode 0600)')
    .addHelpText('after', '\nExample:\n  marshlight decoys capture web07 --last 10m -o web07.pcap')
    .action(async (ref: string, { last, from, to, most, output }: Options) => {
      if (last !== undefined && from !== undefined)
        throw new MarshlightError('USAGE', {
          what: '--last and --from exclude each other',
          command: 'marshlight decoys capture',
        })
      const since = last === undefined ? from : new Date(Date.now() - last * 60_000).toISOString()
      const wish = { mostMb: most, ...(since !== undefined && { from: since }), ...(to !== undefined && { to }) }
      const path = `/v1/decoys/${encodeURIComponent(ref)}/capture`
      const told = await cli.progress('the appliance looks for it', cli.api.post<AnnouncedCapture>(path, wish))
      await saveNew(output, await arrived(cli, `/v1/captures/${told.sha256}`, told), '--output')
      cli.show({ ...told, file: output }, () => {
        cli.details([
          ['packets', told.packets],
          ['from', shownTime(told.from)],
          ['to', shownTime(told.to)],
          ['size', `${(told.bytes / 1_048_576).toFixed(2)} MB`],
          ['left out', told.leftOut > 0 ? `${told.leftOut} older packets: --most allows up to 64MB` : undefined],
          ['file', output],
        ])
      })
    })
}

function parseTime(text: string): string {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new InvalidArgumentError('Write it as 2026-03-02T10:00:00Z.')
  return new Date(at).toISOString()
}

function parseSize(text: string): number {
  const megabytes = Number(/^(\d{1,2})(MB?)?$/i.exec(text)?.[1])
  if (!(megabytes >= 1 && megabytes <= 64)) throw new InvalidArgumentError('Write it as 1MB to 64MB.')
  return megabytes
}
