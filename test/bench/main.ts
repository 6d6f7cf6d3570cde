import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { tableText } from '../../controller/cli/print.ts'
import { wordsOf } from '../../shared/errors.ts'
import { benches } from './registry.ts'
import { meets, type Row } from './row.ts'

const usage = `npm run bench [-- [--json] [--list] [NAME or group ...]]
  runs benchmarks one after the other and prints their figures; --list names them
`
const { values, positionals } = asWritten()
const names = Object.values(benches).flatMap(({ names }) => names)
/** A word stands for a benchmark, a group of them, a figure, or the figures below a name. */
const means = (word: string, key: string, figures: readonly string[]) =>
  [key, ...figures].some((name) => name === word || name.startsWith(`${word}.`))
const asked = (key: string, figures: readonly string[]) =>
  positionals.length === 0 || positionals.some((word) => means(word, key, figures))
const unknown = positionals.filter(
  (word) => !Object.entries(benches).some(([key, { names }]) => means(word, key, names)),
)

if (values.help) {
  process.stdout.write(usage)
} else if (values.list) {
  process.stdout.write(`${names.join('\n')}\n`)
} else if (unknown.length > 0) {
  process.stderr.write(`bench: there is no benchmark ${unknown.join(', ')}.\n  There are: ${names.join(', ')}\n`)
  process.exitCode = 2
} else {
  const rows: Row[] = []
  for (const [group, bench] of Object.entries(benches)) {
    if (!asked(group, bench.names)) continue
    const began = Date.now()
    const tell = (what: string) => process.stderr.write(`${group}: ${what}\n`)
    tell('running')
    try {
      rows.push(...(await bench.run(tell)))
      tell(`done in ${((Date.now() - began) / 1000).toFixed(1)} s`)
    } catch (error) {
      tell(`failed: ${wordsOf(error)}`)
      process.exitCode = 1
    }
  }
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else printTable(rows)
}

function asWritten() {
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({ options: { json: flag, list: flag, help: flag }, allowPositionals: true })
  } catch (error) {
    process.stderr.write(`bench: ${wordsOf(error)}\n${usage}`)
    return process.exit(2)
  }
}

function printTable(rows: readonly Row[]): void {
  const short = (value: number, digits = 4) => String(Number(value.toPrecision(digits)))
  const figure = (value: number | null, unit: string) => (value === null ? '-' : `${short(value)} ${unit}`)
  const measured = ({ value, unit, low, high }: Row) =>
    low === undefined || high === undefined
      ? figure(value, unit)
      : `${short(value, 3)} (${short(low, 3)} to ${short(high, 3)}) ${unit}`
  const [cpu] = cpus()
  process.stdout.write(
    `Measured on ${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}.\n\n`,
  )
  const lines = rows.map((row) => [
    row.name,
    measured(row),
    figure(row.target, row.unit),
    { true: 'reached', false: 'missed', undefined: '-' }[`${meets(row)}`],
    figure(row.reference, row.unit),
  ])
  process.stdout.write(
    `${tableText(['figure', 'value', 'target', '', 'beside it'], lines, process.stdout.columns ?? 100)}\n`,
  )
}
