import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

/** Rooms that a room may import besides itself and shared/; `port` means: only the other room's port.ts. */
const agentRooms: Record<string, string[]> = {
  main: ['*'],
  cli: ['*'],
  config: ['kept-site'],
  enrol: [],
  'kept-site': [],
  'first-boot': ['enrol', 'kept-site'],
  console: [],
  link: ['spool'],
  spool: [],
  scan: ['spool'],
  engine: [],
  decoys: ['engine', 'spool'],
  sessions: ['spool'],
  audit: ['scan', 'spool'],
  capture: ['spool', 'decoys'],
  hearing: ['capture', 'spool'],
  timing: ['capture', 'scan', 'spool'],
  mimicry: ['engine', 'spool'],
  blocks: ['spool'],
  care: ['engine', 'spool'],
  health: ['spool', 'link'],
  safety: ['engine', 'spool'],
  updates: ['engine', 'spool'],
}
const controllerCommon = ['store', 'work', 'deps', 'config']
const controllerRooms: Record<string, string[]> = {
  cli: ['*'],
  serve: ['*'],
  api: ['*'],
  config: [],
  deps: ['*'],
  store: [],
  work: ['store'],
  link: ['fleet', 'ingest', ...controllerCommon],
  ingest: controllerCommon,
  fleet: controllerCommon,
  handover: [],
  segments: controllerCommon,
  personas: ['segments', ...controllerCommon],
  decoys: ['personas', 'segments', ...controllerCommon],
  sessions: controllerCommon,
  attackers: ['sessions', ...controllerCommon],
  drift: controllerCommon,
  adaptation: ['attackers', 'drift', 'personas', 'sessions', ...controllerCommon],
  baselines: ['personas', 'segments', ...controllerCommon],
  mimicry: ['baselines', 'segments', ...controllerCommon],
  risk: ['attackers', 'sessions', ...controllerCommon],
  response: ['risk', ...controllerCommon],
  alerts: ['risk', ...controllerCommon],
  detection: ['alerts', 'attackers', 'baselines', 'drift', 'risk', ...controllerCommon],
  honey: ['alerts', 'attackers', 'personas', 'sessions', ...controllerCommon],
  audit: ['alerts', 'decoys', 'personas', 'segments', ...controllerCommon],
  updates: ['alerts', 'fleet', ...controllerCommon],
}

type Edge = { from: string; to: string }

const files = globSync(['shared/**/*.ts', 'agent/**/*.ts', 'controller/**/*.ts'])
const edges = files.flatMap(importsOf)

t.test('imports run one way: agent and controller import shared and themselves, shared imports itself', async (t) => {
  t.ok(edges.length > 50, 'the walk found the imports')
  const wrong = edges.filter(({ from, to }) => {
    const top = to.split('/')[0]
    return top !== 'shared' && top !== from.split('/')[0] && to !== 'package.json'
  })
  t.same(wrong, [])
})

t.test('rooms import only the rooms that the drawing shows', async (t) => {
  t.same(edges.filter(isUndrawn), [])
})

t.test('no file imports itself by way of others', async (t) => {
  const next = Map.groupBy(edges, ({ from }) => from)
  const done = new Set<string>()
  const circles: string[][] = []
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) return void circles.push([...path.slice(path.indexOf(file)), file])
    if (done.has(file)) return
    for (const { to } of next.get(file) ?? []) walk(to, [...path, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
  t.same(circles, [])
})

function importsOf(file: string): Edge[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from '(\.[^']+)'|^import '(\.[^']+)'/gm)].map(
    (match) => ({
      from: file,
      to: normalize(join(dirname(file), match[1] ?? match[2] ?? '')),
    }),
  )
}

function isUndrawn({ from, to }: Edge): boolean {
  const [top, room = ''] = parts(from)
  const [otherTop, other = ''] = parts(to)
  if (top === 'shared' || otherTop !== top || room === other) return false
  const allowed = (top === 'agent' ? agentRooms : controllerRooms)[room]
  return allowed === undefined || !(allowed.includes('*') || allowed.includes(other))
}

/** Top folder and room of a file; a file right below the top is a room by its own name. */
const parts = (file: string): string[] => file.replace(/\.ts$/, '').split('/').slice(0, 2)
