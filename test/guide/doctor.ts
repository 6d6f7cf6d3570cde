import { judgePlugs } from '../../agent/cli/checks/cable.ts'
import { explain } from '../../agent/cli/checks/examine.ts'
import { checks } from '../../agent/cli/checks/registry.ts'
import { judgeStorage } from '../../agent/cli/checks/storage.ts'
import { shown, verdict } from '../../agent/cli/doctor.ts'
import { escaped } from './escaped.ts'

/** What the doctor prints of a box whose cable is out; of all its lines, those that show how they are read. */
function doctorLines(): { mark: string; text: string }[] {
  const unplugged = judgePlugs([{ name: 'eth0', up: true, signal: false, wireless: false, half: false }], [])
  const away = { ok: false, detail: 'no address' }
  const outcomes = {
    storage: judgeStorage(undefined, [{ name: 'mmcblk0', life: 1 }]),
    cable: unplugged,
    address: away,
    gateway: away,
  }
  const picked = checks.filter(({ name }) => name in outcomes)
  const found = explain(
    picked,
    picked.map(({ name }) => outcomes[name as keyof typeof outcomes]),
  )
  const printed = found.flatMap((one) => {
    const [mark = ''] = shown(one).split(' ')
    let step = false
    return shown(one)
      .split('\n')
      .map((text) => {
        step ||= /^ +-> /.test(text)
        return { mark: step ? 'step' : mark, text }
      })
  })
  const ends = verdict(found)
    .split('\n')
    .map((text) => ({ mark: 'end', text }))
  return [{ mark: 'typed', text: '# marshlight-agent doctor' }, ...printed, { mark: 'end', text: '' }, ...ends]
}

const styles: Readonly<Record<string, string>> = {
  typed: 'fill="#9fb3c8"',
  ok: 'fill="#8fd694"',
  FAIL: 'fill="#ff9a8f" font-weight="700"',
  step: 'fill="#ffd54a" font-weight="700"',
  skip: 'fill="#8b98a5"',
  end: 'fill="#e6edf3"',
}
const notes: readonly [string, string][] = [
  ['ok', 'is well'],
  ['FAIL', 'the first fault'],
  ['step', 'what you do about it'],
  ['skip', 'looked at once that is done'],
]

/** docs/pictures/doctor.svg: in the words and the form that the doctor prints. */
export function doctorPicture(): string {
  const lines = doctorLines()
  const lineHeight = 21
  const height = 60 + lines.length * lineHeight
  const y = (n: number) => 44 + n * lineHeight
  const texts = lines.map(
    ({ mark, text }, n) => `    <text x="24" y="${y(n)}" ${styles[mark] ?? ''}>${escaped(text)}</text>`,
  )
  const pointers = notes.map(([mark, words]) => {
    const at = y(lines.findIndex((line) => line.mark === mark)) - 4.5
    return `    <path d="M672 ${at} H696" stroke="#44546a" stroke-width="2"/><text x="704" y="${at + 5}">${words}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 ${height}" font-size="14" role="img" aria-label="The doctor's lines: ok, then FAIL for the cable with an arrow to what is to be done, then what is unknown until that is mended">
  <rect width="900" height="${height}" fill="#ffffff"/>
  <rect x="8" y="8" width="660" height="${height - 16}" rx="8" fill="#1d2530"/>
  <g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" xml:space="preserve">
${texts.join('\n')}
  </g>
  <g font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" fill="#22303f">
${pointers.join('\n')}
  </g>
</svg>
`
}
