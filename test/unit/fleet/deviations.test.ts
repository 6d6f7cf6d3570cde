import t from 'tap'
import { csvCell, csvText } from '../../../controller/cli/csv.ts'
import { type Compared, deviationsOf } from '../../../controller/fleet/deviations.ts'
import { pick, seededRandom } from '../../../shared/random.ts'

const document = (more: object = {}) => ({
  kind: 'plan',
  revision: 4,
  held: 4,
  outcome: 'applied',
  reason: null,
  ...more,
})
const told = { at: '', planRevision: 4, blocksRevision: 1, config: 'a', rightConfig: 'a' }
const right: Compared = { documents: [document()], told, decoys: { wanted: 2, ready: 2 } }
const release = (agent: string) =>
  JSON.stringify({
    ...{ kind: 'release', version: '2', sequence: 2, createdAt: '2026-11-22T00:00:00Z', notes: '' },
    parts: (['amd64', 'arm64'] as const).map((arch) => ({
      ...{ component: 'agent', arch, version: `${agent}${arch === 'arm64' ? 'x' : ''}` },
      ...{ file: 'a.deb', bytes: 1, sha256: 'a'.repeat(64) },
    })),
  })

t.test('what a box has otherwise than it should', async (t) => {
  const cases: [string, Partial<Compared>, unknown[]][] = [
    ['all is as it should', {}, []],
    [
      'an older plan',
      { documents: [document({ held: 3 })], told: { ...told, planRevision: 3 } },
      [{ what: 'plan', has: 'revision 3' }],
    ],
    ['it told the newer one when it connected', { documents: [document({ held: 3 })] }, []],
    [
      'it turned it down',
      { documents: [document({ outcome: 'rejected', reason: 'no card' })] },
      [{ has: 'rejected revision 4: no card' }],
    ],
    ['it never said', { documents: [document({ held: null })], told: undefined }, []],
    ['too few decoys', { decoys: { wanted: 3, ready: 1 } }, [{ what: 'decoys', has: '1 ready', should: '3' }]],
    ['another configuration', { told: { ...told, config: 'b' } }, [{ what: 'agent.json', has: 'b', should: 'a' }]],
    ['an agent before 1.1 tells none', { told: { ...told, config: null, rightConfig: null } }, []],
    [
      'another version',
      { running: { arch: 'amd64', agent: '1' }, release: release('2') },
      [{ what: 'agent', has: '1', should: '2' }],
    ],
    ['the version of its own architecture', { running: { arch: 'arm64', agent: '2x' }, release: release('2') }, []],
    ['a release that cannot be read', { running: { arch: 'amd64', agent: '1' }, release: '{' }, []],
  ]
  for (const [what, more, expected] of cases) {
    const found = deviationsOf({ ...right, ...more })
    t.equal(found.length, expected.length, what)
    t.match(found, expected, what)
  }
})

/** As RFC 4180 has it read. */
function parsed(text: string): string[][] {
  const cells = [...text.matchAll(/("(?:[^"]|"")*"|[^,\r\n"]*)(,|\r\n)/g)]
  const rows: string[][] = [[]]
  for (const [, cell = '', end] of cells) {
    rows.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

t.test('CSV: whatever stands in a cell, it is read as it is, and never as a formula', async (t) => {
  const random = seededRandom('csv')
  const letters = [...'=+-@|%＝ab1 ,"\'\t\r\n;ü\u0000\u007f']
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: Math.floor(random() * 8) }, () => pick(random, letters)).join('')
    const [, [cell = '', other] = []] = parsed(csvText([{ a: text, b: 1 }]))
    const bare = [...text].filter((one) => one >= ' ' && one !== '\u007f').join('')
    const fine = !/^\s*[=+\-@|%＝\t\r]/.test(cell) && (cell === bare || cell === `'${bare}`) && other === '1'
    if (!fine) t.fail(`${JSON.stringify(text)} became ${JSON.stringify(cell)}`)
  }
  t.equal(csvCell('plain'), 'plain')
  t.equal(csvCell(null), '')
  t.equal(csvCell('-1+1'), "'-1+1")
  t.equal(csvText([]), '\r\n')
})
