import { spawnSync } from 'node:child_process'
import t from 'tap'
import { completionScript } from '../../../controller/cli/commands/completion.ts'
import { commands } from '../../../controller/cli/commands.ts'
import { makeProgram } from '../../../controller/cli/program.ts'

const script = completionScript(makeProgram(commands))

/** What a real bash offers after each of these, where the last word is being typed. */
function offered(lines: readonly (readonly string[])[]): string[][] {
  const asks = lines.map((words) => {
    const quoted = ['marshlight', ...words].map((word) => `'${word}'`).join(' ')
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _marshlight; echo "\${COMPREPLY[*]}"`
  })
  const { stdout, stderr, status } = spawnSync('bash', ['--norc'], {
    input: [script, ...asks].join('\n'),
    encoding: 'utf8',
  })
  if (status !== 0 || stderr !== '') throw new Error(`bash: ${stderr}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').filter(Boolean))
}

t.test('after arguments and values of options a command still offers its options, and those of all', async (t) => {
  const some = offered([
    ['decoys', 'deploy', '--segment', 'office', '--'],
    ['decoys', 'audit', 'web07', '--'],
    ['--data', 'decoys', 'decoys', 'deploy', '--r'],
    ['decoys', 'deploy', '--segment', '=', 'office', '--dr'],
    ['segments', 'show', 'office', '198.18.1.9', '--js'],
  ])
  for (const option of ['--segment', '--dry-run', '--json', '--data', '--api', '--help'])
    t.ok(some[0]?.includes(option), option)
  t.ok(some[1]?.includes('--equal') && some[1].includes('--json'))
  t.same(some.slice(2), [['--reason'], ['--dry-run'], ['--json']])
})

t.test('commands are offered where they go, by aliases too, and the options of a list at its group', async (t) => {
  const [top, decoys, list, name, group] = offered([
    [''],
    ['decoys', 'de'],
    ['decoys', 'list', '--s'],
    ['unblock', ''],
    ['decoys', '--s'],
  ])
  t.ok(['agents', 'decoys', 'drift', '--json'].every((one) => top?.includes(one)))
  t.same(decoys, ['deploy'])
  t.same(list, ['--segment'])
  t.notOk(name?.includes('agents'), 'an argument is no command')
  t.same(group, ['--segment'])
})

t.test('a value is one of the choices where there are any, and else left to the shell', async (t) => {
  const [role, data, more] = offered([
    ['agents', 'invite', '--role', ''],
    ['--data', ''],
    ['agents', 'invite', '--role', '=', 'enf'],
  ])
  t.same(role, ['decoys', 'enforcer'])
  t.same(data, [])
  t.same(more, ['enforcer'])
})

t.test('every command of the program is offered, and its options after it', async (t) => {
  const all = makeProgram(commands).commands
  const answers = offered(all.flatMap((one) => [[one.name()], [one.name(), '--j']]))
  all.forEach((one, at) => {
    t.ok(answers[2 * at]?.includes(one.name()), one.name())
    t.same(answers[2 * at + 1], ['--json'], one.name())
  })
})
