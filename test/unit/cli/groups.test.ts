import t from 'tap'
import { decoysCommand } from '../../../controller/cli/commands/decoys.ts'
import { runProgram } from '../../../controller/cli/program.ts'

t.test('a word that is no command of its group is called that, with what there is', async (t) => {
  const errors = t.capture(process.stderr, 'write', () => true)
  t.equal(await runProgram(['decoys', 'shwo', 'web-1'], [decoysCommand]), 2)
  const said = errors()
    .flatMap(({ args }) => args)
    .join('')
  t.match(said, /decoys has no command 'shwo', only ls, show, .*\nSee `marshlight --help`/)
})
