#!/usr/bin/env node
import { Command } from 'commander'
import { reportError } from '../../controller/cli/report-error.ts'
import { forTerminal, jsonForTerminal } from '../../shared/terminal.ts'
import { buildCommand } from './commands/build.ts'
import { debCommand } from './commands/deb.ts'
import { keyCommand } from './commands/key.ts'
import { verifyCommand } from './commands/verify.ts'
import type { Show } from './show.ts'

/** `marshlight image ...`: works on files of this machine, beside the controller's command line, which speaks to a controller only. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('marshlight').option('--json', 'print one JSON document').exitOverride()
  const image = program
    .command('image')
    .description('Packages and images for appliances; needs no running controller.')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  marshlight image key --out release.key         once: a key that signs
  marshlight image deb --arch arm64 --key release.key
  marshlight image build --arch arm64 --key release.key
                                                 a Raspberry Pi's card; as root
  marshlight image verify dist/marshlight-agent_0.1.0_arm64.deb \\
    --pubkey release.key.pub                     before it is installed`,
    )
  const json = () => program.opts<{ json?: boolean }>().json === true
  const show: Show = (value, lines) =>
    void process.stdout.write(
      `${json() ? jsonForTerminal(value, 2) : lines.map((line) => forTerminal(line)).join('\n')}\n`,
    )
  for (const command of [buildCommand, debCommand, keyCommand, verifyCommand]) command(image, show).exitOverride()
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    return reportError(error, json())
  }
}

process.exitCode = await main(process.argv.slice(2))
