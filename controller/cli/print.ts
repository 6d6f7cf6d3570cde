import Table from 'cli-table3'
import { forTerminal } from '../../shared/terminal.ts'

type Cell = string | number | undefined

const cellText = (cell: Cell) => (cell === undefined ? '-' : forTerminal(String(cell), 500))

/** A first column of names (families, agents, segments) up to this width stays whole; an id of 36 characters is told by its beginning. */
const KEPT = 30

/**
 * A table no wider than `width` characters: when it is too wide, the widest columns give way (the first, which holds what other
 * commands take as a name, only when it is longer than `KEPT` or nothing else is left), and cut text ends in an ellipsis. Cells
 * come from outside: control characters are shown as escapes.
 */
export function tableText(columns: readonly string[], rows: readonly (readonly Cell[])[], width: number): string {
  const cells = rows.map((row) => columns.map((_, i) => cellText(row[i])))
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const gap = 2
  const room = width - gap * (columns.length - 1)
  const least = 6
  const kept = (widths[0] ?? 0) <= KEPT
  while (widths.reduce((sum, w) => sum + w, 0) > room) {
    const rest = widths.map((width, i) => (i === 0 && kept ? 0 : width))
    const widest = Math.max(...rest) > least ? rest.indexOf(Math.max(...rest)) : 0
    if ((widths[widest] ?? 0) <= least) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  const table = new Table({
    head: columns.map((column, i) => cut(column, widths[i] ?? least)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colWidths: widths.map((w) => w),
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
  })
  for (const row of cells) table.push(row.map((cell, i) => cut(cell, widths[i] ?? least)))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

const cut = (text: string, width: number) => (text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`)

/** Labels come from outside too: a record's keys are whatever an agent sent. */
export function detailsText(pairs: readonly (readonly [string, Cell])[]): string {
  const shown = pairs.map(([label, value]) => [forTerminal(label, 100), cellText(value)] as const)
  const width = Math.max(...shown.map(([label]) => label.length))
  return shown.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n')
}

/** Text for the terminal in lines of at most `width`, those after the first indented. It may come from outside. */
export function wrapped(text: string, indent: number, width = 80): string {
  const head = /^ */.exec(text)?.[0].length ?? 0
  const lines: string[] = []
  let line = ''
  const room = () => width - (lines.length === 0 ? head : indent)
  const push = () => {
    lines.push(' '.repeat(lines.length === 0 ? head : indent) + line)
    line = ''
  }
  for (const word of forTerminal(text.trim(), 2000).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room()) push()
    line = line === '' ? word : `${line} ${word}`
    while (line.length > room()) {
      const rest = line.slice(room())
      line = line.slice(0, room())
      push()
      line = rest
    }
  }
  push()
  return lines.join('\n')
}
