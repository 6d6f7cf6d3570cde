import type { Command } from 'commander'
import t from 'tap'
import { commands } from '../../../controller/cli/commands.ts'
import { makeProgram, runProgram } from '../../../controller/cli/program.ts'

/** Commands without commands of their own, by their words. */
function leaves(command: Command, words: readonly string[] = []): { name: string; command: Command }[] {
  if (command.commands.length === 0) return [{ name: words.join(' '), command }]
  return command.commands.flatMap((child) => leaves(child, [...words, child.name()]))
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (some) => {
      text += some
    },
    getOutHelpWidth: () => 80,
  })
  command.outputHelp()
  return text
}

const all = leaves(makeProgram(commands))

t.test('the help of each command has an example of it, and fits 80 columns', async (t) => {
  t.ok(all.length > 60, `${all.length} commands`)
  for (const { name, command } of all) {
    const help = helpOf(command)
    const [, examples = ''] = help.split(/\nExamples?:\n/)
    t.match(examples, `marshlight ${name}`, `${name}: an example`)
    const long = help.split('\n').filter((line) => line.length > 80)
    t.same(long, [], `${name}: fits`)
  }
})

t.test('the help of groups fits 80 columns', async (t) => {
  const program = makeProgram(commands)
  for (const group of [program, ...program.commands.filter((one) => one.commands.length > 0)])
    t.same(
      helpOf(group)
        .split('\n')
        .filter((line) => line.length > 80),
      [],
      group.name(),
    )
})

t.test('groups list without a command, and nothing else does so by mistake', async (t) => {
  const nobody = t.testdir({})
  t.capture(process.stdout, 'write', () => true)
  const errors = t.capture(process.stderr, 'write', () => true)
  for (const group of makeProgram(commands).commands.filter((one) => one.commands.length > 0)) {
    t.equal(await runProgram(['--data', nobody, group.name()], commands), 1, `${group.name()} asks the controller`)
    t.match(errors().at(-1)?.args[0], /controller does not answer/)
  }
})
