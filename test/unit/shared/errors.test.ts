import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { errorTexts, wordsOf } from '../../../shared/errors.ts'

const root = join(import.meta.dirname, '../../..')

t.test('every error has a next step: of its own, or of who throws it, and that is none without words', async (t) => {
  for (const [code, [what, next]] of Object.entries(errorTexts)) t.ok(what && next, code)
  const empty: string[] = []
  for await (const path of glob('{agent,controller,provisioning,shared}/**/*.ts', { cwd: root }))
    if (/\bnext(: | = )''/.test(await readFile(join(root, path), 'utf8'))) empty.push(path)
  t.same(empty, [])
})

t.test('an error’s words tell its causes, each once', async (t) => {
  const cause = new Error('the connection was closed')
  t.equal(wordsOf(new Error('no answer', { cause })), 'no answer (the connection was closed)')
  t.equal(wordsOf(new Error('no answer: the connection was closed', { cause })), 'no answer: the connection was closed')
})
