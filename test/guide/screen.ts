import { firstCandidate } from '../../agent/console/link-local.ts'
import { type Known, viewOf } from '../../agent/console/state.ts'
import { screenText } from '../../agent/console/words.ts'
import { escaped } from './escaped.ts'

/** A box that was plugged in without its file. */
const known: Known = {
  version: '0.1.0',
  card: { name: 'eth0', signal: true, address: '10.1.0.23' },
  serial: 'board 7f3a91c2',
  enrolled: false,
  waitsForFile: true,
  takesCode: true,
  page: `http://${firstCandidate}/`,
}

/** docs/pictures/screen.svg: a screen at the box, as the agent draws it. */
export function screenPicture(): string {
  const lines = screenText(known, viewOf(known), { columns: 80, rows: 25 })
  const lineHeight = 18
  const height = 48 + lines.length * lineHeight
  const texts = lines.map((line, n) => {
    const style = line.trim().startsWith('->') ? 'fill="#ffd54a" font-weight="700"' : 'fill="#e6edf3"'
    return `    <text x="24" y="${38 + n * lineHeight}" ${style}>${escaped(line.trimEnd())}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 ${height}" role="img" aria-label="The screen of a box that waits for its file: what it waits for, an arrow to what you do, its address, and the address of its page">
  <rect width="900" height="${height}" fill="#ffffff"/>
  <rect x="8" y="8" width="680" height="${height - 16}" rx="8" fill="#000000"/>
  <g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" xml:space="preserve">
${texts.join('\n')}
  </g>
</svg>
`
}
