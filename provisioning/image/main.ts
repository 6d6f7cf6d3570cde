#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { plainly } from '../../shared/system-errors.ts'
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
    return report(error, json())
  }
}

function report(thrown: unknown, json: boolean): number {
  const error = plainly(thrown)
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (!(error instanceof MarshlightError)) {
    process.stderr.write(`marshlight: ${forTerminal(wordsOf(error))}\n`)
    return 1
  }
  const { code, message, next } = error
  if (json) process.stderr.write(`${jsonForTerminal({ error: { code, message, next } })}\n`)
  else process.stderr.write(`marshlight: ${forTerminal(message)}\n  ${forTerminal(next)}\n`)
  return code === 'USAGE' ? 2 : 1
}

process.exitCode = await main(process.argv.slice(2))
