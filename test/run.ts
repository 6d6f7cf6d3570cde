#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type FileResult, readTap, type TestResult } from './tap-report.ts'

/** How a group (a folder of test/) runs. `alone`: files that no other file runs beside, one after the other at its end. */
type Group = { name: string; jobs: number; timeoutSeconds: number; alone?: RegExp }

const groups: readonly Group[] = [
  { name: 'unit', jobs: 2, timeoutSeconds: 90 },
  { name: 'integration', jobs: 2, timeoutSeconds: 240 },
  // Tests that measure time have both cores for themselves; audits measure it too, and look for their like on the machine.
  {
    name: 'lab',
    jobs: 2,
    timeoutSeconds: 900,
    alone: /(audit.*|blocks|capture.*|drift.*|hearing|mimicry|timing)\.test\.ts$/,
  },
]

const root = join(import.meta.dirname, '..')
const bin = join(root, 'node_modules/.bin')
const out = process.stdout

async function runGroup(group: Group, files: readonly string[]): Promise<TestResult[]> {
  const { alone } = group
  if (!alone) return runFiles(group, files)
  const [last, first] = [files.filter((file) => alone.test(file)), files.filter((file) => !alone.test(file))]
  return [
    ...(await runFiles(group, first)),
    ...(await runFiles({ ...group, name: `${group.name}, alone`, jobs: 1 }, last)),
  ]
}

async function runFiles(group: Group, files: readonly string[]): Promise<TestResult[]> {
  if (files.length === 0) return []
  const tests: TestResult[] = []
  let done = 0
  const onFile = (result: FileResult) => {
    done += 1
    tests.push(...result.tests)
    const good = result.tests.filter((test) => test.ok).length
    const seconds = (result.milliseconds / 1000).toFixed(1)
    out.write(
      `${result.ok ? 'ok    ' : 'FAILED'} ${result.file}  ${good}/${result.tests.length}  ${seconds} s  [${done}/${files.length}]\n`,
    )
    for (const test of result.tests.filter((test) => !test.ok)) out.write(`${test.details}\n`)
  }
  out.write(`\n${group.name}: ${files.length} files\n`)
  const child = spawn(
    join(bin, 'tap'),
    [
      'run',
      '--reporter=tap',
      '--disable-coverage',
      '--allow-empty-coverage',
      '--allow-incomplete-coverage',
      `--jobs=${group.jobs}`,
      `--timeout=${group.timeoutSeconds}`,
      ...files,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      // The project's own Node runs the tests, whichever one runs this file.
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
    },
  )
  const ended = once(child, 'close')
  const read = readTap(onFile)
  for await (const line of createInterface({ input: child.stdout })) read(line)
  const [code] = await ended
  const missing = files.length - done
  if (missing > 0) failGroup(`${missing} of ${files.length} files gave no result`)
  else if (code !== 0 && tests.every((test) => test.ok)) failGroup(`tap ended with exit code ${code}`)
  return tests

  function failGroup(why: string): void {
    out.write(`FAILED ${group.name}: ${why}\n`)
    tests.push({ file: group.name, name: why, ok: false, details: why })
  }
}

/** Test files under an argument: a group's name, a folder, or a file. */
const filesOf = (argument: string): string[] => {
  if (argument.endsWith('.test.ts')) return existsSync(join(root, argument)) ? [argument] : []
  const folder = argument.includes('/') ? argument : `test/${argument}`
  return globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort()
}

async function main(wanted: readonly string[]): Promise<number> {
  const begun = performance.now()
  const results: TestResult[] = []
  for (const argument of wanted.length > 0 ? wanted : groups.map((group) => group.name)) {
    const files = filesOf(argument)
    if (files.length === 0) {
      out.write(`no tests in ${argument}\n`)
      if (wanted.length > 0) results.push({ file: argument, name: 'no tests', ok: false, details: '' })
      continue
    }
    const name = argument.includes('/') ? (argument.split('/')[1] ?? '') : argument
    const group = groups.find((each) => each.name === name) ?? { name, jobs: 1, timeoutSeconds: 900 }
    results.push(...(await runGroup(group, files)))
  }
  const failed = results.filter((test) => !test.ok)
  if (failed.length > 0) out.write(`\nfailed:\n${failed.map((test) => `  ${test.file}: ${test.name}`).join('\n')}\n`)
  out.write(`\n${Math.round((performance.now() - begun) / 1000)} s\n`)
  out.write(`${results.length - failed.length} passed, ${failed.length} failed\n`)
  return failed.length > 0 || results.length === 0 ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
