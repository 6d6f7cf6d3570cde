import { forTerminal } from '../../shared/terminal.ts'
import type { Known, View } from './state.ts'

/** What stands below the state, as label and value; only what is known. */
export function facts(known: Known): [string, string][] {
  const { card } = known
  const all: [string, string | undefined][] = [
    ['Name', known.name],
    ['Site', [known.site, known.segment].filter((one) => one !== undefined).join(' / ') || undefined],
    ['Address', card?.address === undefined ? undefined : `${card.address} (${card.name})`],
    ['Controller', known.controller],
    ['Connected', known.link?.connected ? `since ${known.link.since ?? 'now'}` : undefined],
    ['Serial', known.serial],
    ['Version', known.version],
    ['Page', known.page],
  ]
  return all.filter((one): one is [string, string] => one[1] !== undefined)
}

/** At most so many of the doctor's findings: the first is the one to mend. */
const mostFindings = 5

/**
 * The screen as lines of exactly `columns` characters, plain letters only: a text console has no others. Whatever came
 * from outside is escaped first, so that it is data on every screen.
 */
export function screenText(known: Known, view: View, size: { columns: number; rows: number }): string[] {
  const width = Math.max(20, size.columns - 4)
  const text = (value: string) => plain(forTerminal(value, 400))
  const block = (value: string, first = '', rest = first) =>
    wrapped(text(value), width - first.length).map((line, at) => `${at === 0 ? first : rest}${line}`)
  const labelled = facts(known).map(([label, value]) => `${label.padEnd(11)}${text(value)}`.slice(0, width))
  const findings = (known.findings ?? []).slice(0, mostFindings)
  const body = [
    `MARSHLIGHT${text(view.state.replaceAll('-', ' '))
      .toUpperCase()
      .padStart(width - 10)}`,
    '='.repeat(width),
    '',
    ...block(view.title),
    ...(view.why === undefined ? [] : block(view.why)),
    '',
    ...block(view.next, '-> ', '   '),
    '',
    '-'.repeat(width),
    ...labelled,
    ...(known.stick === undefined ? [] : ['', ...block(`Stick: ${known.stick}`)]),
    ...(findings.length === 0 ? [] : ['', 'Also found:']),
    ...findings.flatMap(({ name, detail }) => block(`${name}: ${detail}`, '- ', '  ')),
  ]
  const shown = body.slice(0, size.rows - 1)
  return shown.map((line) => `  ${line}`.padEnd(size.columns).slice(0, size.columns))
}

/** Latin letters that every console font has; typographic marks as typewriters write them. */
const plain = (text: string): string =>
  text
    .replaceAll(/[‘’]/g, "'")
    .replaceAll(/[“”]/g, '"')
    .replaceAll('…', '...')
    .replaceAll(/[–—]/g, '-')
    .replaceAll(/[^\u0020-\u007e\u00a1-\u00ff]/gu, '?')

/** At spaces; a word that is longer than a line is cut. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((one) => one.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
