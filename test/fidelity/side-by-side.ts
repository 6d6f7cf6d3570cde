import { parseArgs } from 'node:util'
import { rowOf, sidesOf } from '../bench/personas-scan.ts'
import { hostedFamilies } from './hosted-families.ts'
import { type Compared, differencesInWords, percentEqual, sideBySide } from './scan-agreement.ts'

/** `npm run side-by-side [-- [--json] [WORD ...]]`: real hosts and decoys as a scanner sees them; words choose families. */
const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
const wanted = hostedFamilies.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.toLowerCase().includes(word.toLowerCase())),
)
const width = Math.max(80, process.stdout.columns ?? 120)

if (wanted.length === 0) {
  process.stderr.write(`side-by-side: no family is called ${positionals.join(' ')}.\n`)
  process.stderr.write(`  There are: ${hostedFamilies.map(({ name }) => name).join('; ')}\n`)
  process.exitCode = 2
} else {
  const sides = await sidesOf((what) => process.stderr.write(`${what}\n`), wanted)
  if (values.json) {
    const families = sides.map(({ family, persona, compared, stock }) => ({
      family: family.name,
      persona: { family: persona.family, hostname: persona.hostname },
      percent: percentEqual(compared),
      lines: compared,
      ...(stock && { stock: { percent: percentEqual(stock), lines: stock } }),
    }))
    process.stdout.write(`${JSON.stringify({ figure: rowOf(sides), families }, null, 2)}\n`)
  } else {
    for (const { family, persona, compared, stock } of sides) {
      show(`${family.name}, and a decoy of family ${persona.family}`, compared)
      if (stock) show(`${family.name}, and stock Cowrie`, stock)
    }
    const { value, reference } = rowOf(sides)
    const beside = reference === null ? '' : `; stock Cowrie ${reference.toFixed(1)} %`
    process.stdout.write(`Equal lines, mean of ${sides.length} families: ${value.toFixed(1)} %${beside}\n`)
  }
}

function show(title: string, compared: readonly Compared[]): void {
  const words = differencesInWords(compared).map((one) => `  - ${one}\n`)
  const percent = `${compared.length - words.length} of ${compared.length} lines equal (${percentEqual(compared).toFixed(1)} %)`
  process.stdout.write(
    `== ${title}: ${percent}\n\n${sideBySide(compared, width)}\n\n${words.join('')}${words.length > 0 ? '\n' : ''}`,
  )
}
