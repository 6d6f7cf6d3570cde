import type { Test } from 'tap'
import { commands } from '../../controller/cli/commands.ts'
import { runProgram } from '../../controller/cli/program.ts'

/** The controller's command line in this process: its exit code, and what it said. */
export async function run(t: Test, ...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  const out = t.capture(process.stdout, 'write', () => true)
  const error = t.capture(process.stderr, 'write', () => true)
  const code = await runProgram(argv, commands)
  const text = (captured: typeof out) =>
    captured()
      .map(({ args }) => String(args[0]))
      .join('')
  const told = { code, out: text(out), error: text(error) }
  out.restore()
  error.restore()
  return told
}
