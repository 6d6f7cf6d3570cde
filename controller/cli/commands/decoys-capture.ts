import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { InvalidArgumentError } from 'commander'
import { MarshlightError, wordsOf } from '../../../shared/errors.ts'
import type { AnnouncedCapture, CaptureStanding } from '../../api/routes/captures.ts'
import type { CliCommand } from '../context.ts'
import { parseDuration } from '../duration.ts'
import { shownTime } from '../shown-time.ts'

type Options = { last?: number; from?: string; to?: string; most: number; output: string }

const pollMs = 250
/** Without another part for so long nothing more is to be waited for. */
const patienceMs = 60_000

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
      await arrived(told)
      await save(output, await cli.api.bytes(`/v1/captures/${told.sha256}/data`))
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

  async function arrived({ sha256, parts, bytes }: AnnouncedCapture): Promise<void> {
    let [last, since] = [-1, Date.now()]
    for (;;) {
      const standing = await cli.api.get<CaptureStanding>(`/v1/captures/${sha256}`)
      if (standing.whole) return
      if (standing.parts !== last) [last, since] = [standing.parts, Date.now()]
      if (Date.now() - since > patienceMs)
        throw new MarshlightError('TIMEOUT', {
          what: `the capture: ${last} of ${parts} parts came, then none`,
          seconds: patienceMs / 1000,
          next: 'See `marshlight agents ls`.',
        })
      const share = Math.floor((100 * standing.parts) / parts)
      await cli.progress(`${share} % of ${(bytes / 1_048_576).toFixed(1)} MB has come`, pause(pollMs))
    }
  }
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

/** Writes a new file that only its owner may read. Throws CONFLICT where one is there. */
async function save(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new MarshlightError('CONFLICT', { what: `${path} is there already`, next: 'Name another file.' })
    throw new MarshlightError('DISK_READ_ONLY', { path, why: wordsOf(error), option: '--output' })
  }
}
