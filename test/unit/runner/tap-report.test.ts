import t from 'tap'
import { type FileResult, readTap } from '../../tap-report.ts'

const read = (text: string): FileResult[] => {
  const results: FileResult[] = []
  const feed = readTap((result) => results.push(result))
  for (const line of text.split('\n')) feed(line)
  return results
}

t.test('a file’s tests are counted at its top level, with the details of those that failed', async (t) => {
  const [file] = read(`# Subtest: a.test.ts
    # Subtest: one
        not ok 1 - should be equal
          ---
          diff: |
            ok 1 - not a test, but text of the difference
          ...
        1..1
    not ok 1 - one # time=2.5ms
      ---
      at:
        line: here
      ...
    ok 2 - two
    1..2
not ok 1 - a.test.ts # time=41.82ms
  ---
  exitCode: 1
  ...`)
  t.match(file, { file: 'a.test.ts', ok: false, milliseconds: 41.82 })
  t.strictSame(
    file?.tests.map((test) => [test.name, test.ok]),
    [
      ['one', false],
      ['two', true],
    ],
  )
  t.match(file?.tests[0]?.details, /text of the difference/)
  t.match(file?.tests[0]?.details, /line: here/)
})

t.test('a file that ends before a test ran counts as a failure', async (t) => {
  const [file] = read('# Subtest: b.test.ts\n    1..0 # no tests found\nok 1 - b.test.ts # time=3ms')
  t.match(file, { ok: false, tests: [{ ok: false, name: 'no test ran' }] })
})

t.test('a file that ends with an error after its tests passed counts as a failure', async (t) => {
  const [file] = read('# Subtest: c.test.ts\n    ok 1 - fine\n    1..1\nnot ok 1 - c.test.ts # time=3ms')
  t.strictSame(
    file?.tests.map((test) => test.ok),
    [true, false],
  )
})
