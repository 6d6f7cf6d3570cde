/** One test of a file (a `t.test` at its top level, or an assertion there) as the TAP stream tells it. */
export type TestResult = { file: string; name: string; ok: boolean; details: string }

export type FileResult = { file: string; ok: boolean; tests: TestResult[]; milliseconds: number }

/**
 * Reads what `tap run --reporter=tap` prints: a subtest of level 0 for each file, of level 1 for each of its tests. Details of
 * a failure are the lines since the test before it, and the diagnostics after it.
 */
export function readTap(onFile: (result: FileResult) => void): (line: string) => void {
  let file = ''
  let tests: TestResult[] = []
  let block: string[] = []
  let diagnosticsEnd: string | undefined
  let failed: TestResult | undefined
  return (line) => {
    const indent = /^ */.exec(line)?.[0] ?? ''
    if (diagnosticsEnd !== undefined) {
      if (failed) failed.details += `\n${line}`
      else block.push(line)
      if (line === diagnosticsEnd) diagnosticsEnd = undefined
      return
    }
    if (line.trim() === '---') {
      diagnosticsEnd = `${indent}...`
      if (indent.length > 6) failed = undefined
      block.push(line)
      return
    }
    const subtest = /^# Subtest: (.*)$/.exec(line)
    const point = /^( {4})?(not )?ok \d+(?: - (.*?))?(?: # time=([\d.]+)ms)?(?: \{)?$/.exec(line)
    if (subtest) {
      file = subtest[1] ?? ''
      tests = []
      block = []
      failed = undefined
    } else if (point?.[1]) {
      const ok = point[2] === undefined
      const test = { file, name: point[3] ?? '', ok, details: ok ? '' : [...block, line].join('\n') }
      tests.push(test)
      failed = ok ? undefined : test
      block = []
    } else if (point) {
      const ok = point[2] === undefined
      const name = file || (point[3] ?? '')
      // A file that fails without a failed test, or that has none, ended too early: that is a failure of its own.
      if (tests.length === 0 || (!ok && tests.every((test) => test.ok))) {
        const why = tests.length === 0 ? 'no test ran' : 'the file ended with an error'
        tests.push({ file: name, name: why, ok: false, details: `${why}; see its output above` })
      }
      onFile({ file: name, ok: ok && tests.every((test) => test.ok), tests, milliseconds: Number(point[4] ?? 0) })
      file = ''
      tests = []
      block = []
      failed = undefined
    } else block.push(line)
  }
}
