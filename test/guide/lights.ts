import { ledPatterns, type Pattern } from '../../agent/console/led-patterns.ts'
import type { State } from '../../agent/console/state.ts'

type Row = { colour: string; means: string; does: string }
const [well, busy, unwell] = ['#2e7d32', '#44546a', '#b3261e']
/** In the words of the guide, in its order: well first, then what a technician mends, cable before firewall. */
export const lightRows: Readonly<Record<State, Row>> = {
  working: { colour: well, means: 'It works.', does: 'You can leave.' },
  'waiting-for-approval': {
    colour: well,
    means: 'Waits to be let in.',
    does: 'You can leave. Tell the centre: it is in place.',
  },
  starting: { colour: busy, means: 'Starting.', does: 'Wait.' },
  updating: { colour: busy, means: 'Takes a new version.', does: 'Do not switch it off.' },
  'no-file': {
    colour: unwell,
    means: 'Waits for its file.',
    does: 'Ask the centre for a stick or a code.',
  },
  'no-cable': { colour: unwell, means: 'No cable.', does: 'Push it in at both ends.' },
  'no-address': { colour: unwell, means: 'No address.', does: 'Ask whoever runs this network.' },
  'no-controller': { colour: unwell, means: 'Does not reach the centre.', does: 'Ask whoever runs the firewall.' },
  'needs-care': { colour: unwell, means: 'Works, but not all of it.', does: 'Look at its page, or run the doctor.' },
  wiped: { colour: unwell, means: 'Was taken back.', does: 'Tell the centre.' },
}

const shownMs = 6000
const [left, width, top, rowHeight] = [58, 260, 44, 36]

/** When the light is on within the time that is shown, as from and until in milliseconds. */
export function litTimes(pattern: Pattern): [number, number][] {
  if (pattern === 'on') return [[0, shownMs]]
  const times: [number, number][] = []
  for (let at = 0; at < shownMs; at += pattern.on + pattern.off) times.push([at, Math.min(at + pattern.on, shownMs)])
  return times
}

/** docs/pictures/lights.svg: what the light does, by the very patterns that the agent shows. */
export function lightsPicture(): string {
  const rows = Object.entries(lightRows) as [State, Row][]
  const height = top + rows.length * rowHeight + 14
  const x = (ms: number) => Number((left + (ms / shownMs) * width).toFixed(1))
  const drawn = rows.map(([state, { colour, means, does }], n) => {
    const y = top + n * rowHeight
    const lit = litTimes(ledPatterns[state]).map(([from, to]) => `M${x(from)} ${y + 11}H${x(to)}v14H${x(from)}z`)
    return `${n % 2 === 0 ? `  <rect x="10" y="${y}" width="880" height="${rowHeight}" fill="#f3f6fa"/>\n` : ''}  <circle cx="32" cy="${y + 18}" r="8" fill="${colour}"/>
  <rect x="${left}" y="${y + 9}" width="${width}" height="18" rx="3" fill="#2b2f36"/>
  <path d="${lit.join('')}" fill="#ffd54a"/>
  <text x="342" y="${y + 23}" fill="#22303f">${means}</text><text x="548" y="${y + 23}" fill="#22303f">${does}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 ${height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="14" role="img" aria-label="What the light does in six seconds, what it means, and what to do">
  <rect width="900" height="${height}" fill="#ffffff"/>
  <g fill="#44546a" font-size="12">
    <text x="58" y="26">the light, ${shownMs / 1000} seconds of it</text><text x="342" y="26">what it means</text><text x="548" y="26">what you do</text>
  </g>
${drawn.join('\n')}
</svg>
`
}
