import { XMLParser, XMLValidator } from 'fast-xml-parser'
import t from 'tap'
import { svgMap, textMap } from '../../../controller/segments/index.ts'
import { cell, layoutMap, type MapInput } from '../../../controller/segments/map-layout.ts'

const evil = '<script>alert("x")</script>\u001b[2J&\u202e'

const map = (hosts: number, segments = 2): MapInput => ({
  title: `Network ${evil}`,
  at: '2026-11-21 05:00:00Z',
  segments: Array.from({ length: segments }, (_, s) => ({
    name: `segment ${s} ${evil}`,
    cidr: `198.18.${s}.0/24`,
    gateway: `198.18.${s}.1`,
    agents: [`box ${evil}`],
    hosts: Array.from({ length: hosts }, (_, i) => ({
      ip: `198.18.${s}.${i + 1}`,
      name: `${evil}${'long'.repeat(20)}`,
      system: 'Debian',
      status: i % 7 === 0 ? ('gone' as const) : ('up' as const),
    })),
    decoys: [0, 1, 2].map((i) => ({ ip: `198.18.${s}.${200 + i}`, name: evil, phase: i === 0 ? 'creating' : 'ready' })),
  })),
  attackers: [{ ip: '198.18.9.9', score: 91, blocked: true, touched: ['198.18.0.200', '198.18.1.201', '198.18.7.7'] }],
})

t.test('no two machines overlap and all lie in their picture, with 60 hosts a segment', async (t) => {
  const { nodes, width, height } = layoutMap(map(60, 5))
  t.equal(nodes.length, 5 * 63 + 1)
  const places = new Set(nodes.map(({ x, y }) => `${Math.round(x / cell.width)} ${x} ${y}`))
  t.equal(places.size, nodes.length)
  for (const [i, a] of nodes.entries()) {
    if (a.x - a.width / 2 < 0 || a.x + a.width / 2 > width || a.y > height) t.fail(`${a.title} is outside`)
    for (const b of nodes.slice(i + 1))
      if (Math.abs(a.x - b.x) < cell.width && Math.abs(a.y - b.y) < 60) t.fail(`${a.title} overlaps ${b.title}`)
    for (const line of a.lines) if (line.length * 7 > a.width + 10) t.fail(`${line} is too long`)
  }
})

t.test('attackers have a line to each decoy they touched that is on the map', async (t) => {
  t.equal(layoutMap(map(6)).lines.length, 2)
})

t.test('the picture is well-formed, and text from outside stays text', async (t) => {
  const svg = svgMap(map(60))
  t.equal(XMLValidator.validate(svg), true)
  for (const part of ['<script', '\u001b', '\u202e']) t.notOk(svg.includes(part), JSON.stringify(part))
  const found: string[] = []
  const walk = (value: unknown) => {
    if (typeof value === 'string') found.push(value)
    else if (value && typeof value === 'object') for (const one of Object.values(value)) walk(one)
  }
  walk(new XMLParser({ htmlEntities: true }).parse(svg))
  t.ok(found.some((text) => text.includes('<script>')))
})

t.test('the drawing for a terminal fits 80 columns and holds no control characters', async (t) => {
  const text = textMap(map(60), 80)
  for (const line of text.split('\n')) if (line.length > 80) t.fail(`${line.length}: ${line}`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for control characters is the point
  t.notMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/)
  t.match(text, /<D> 198\.18\.0\.201/)
  t.match(text, /! 198\.18\.9\.9 risk 91 \(blocked\) -> 198\.18\.0\.200/)
})

t.test('an empty network is drawn too', async (t) => {
  t.equal(XMLValidator.validate(svgMap({ title: 'none', at: '', segments: [], attackers: [] })), true)
  t.match(
    textMap({ title: '', at: '', segments: [{ name: 'new', agents: [], hosts: [], decoys: [] }], attackers: [] }),
    /no hosts seen yet/,
  )
})
