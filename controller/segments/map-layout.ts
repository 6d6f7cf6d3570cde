/** What the map shows. All text comes from outside and is escaped where it is drawn. */
export type MapHost = { ip: string; name?: string; system: string; status: 'up' | 'gone' }
export type MapDecoy = { ip: string; name: string; phase: string }
export type MapSegment = {
  name: string
  cidr?: string
  gateway?: string
  agents: string[]
  hosts: MapHost[]
  decoys: MapDecoy[]
}
/** `touched`: addresses of decoys that it reached. */
export type MapAttacker = { ip: string; score?: number; blocked?: boolean; touched: string[] }
export type MapInput = { title: string; at: string; segments: MapSegment[]; attackers: MapAttacker[] }

export type NodeKind = 'host' | 'gone' | 'decoy' | 'decoy-down' | 'gateway' | 'attacker' | 'blocked'
export type MapNode = { kind: NodeKind; x: number; y: number; width: number; title: string; lines: string[] }
export type MapZone = { x: number; y: number; width: number; height: number; title: string; subtitle: string }
export type MapLine = { kind: 'touch' | 'uplink'; from: [number, number]; to: [number, number] }
export type MapLayout = { width: number; height: number; nodes: MapNode[]; zones: MapZone[]; lines: MapLine[] }

/** Sizes, in units of the picture. A cell holds one machine with three lines of text below it. */
export const cell = { width: 124, height: 84 }
const margin = 32
const zoneGap = 28
const zoneHead = 64
const zonePad = 14
const headHeight = 96
const attackerRow = 92
const labelChars = 17

/**
 * Where everything stands. Segments are zones side by side, two in a row when there are many; in each, machines stand in
 * a grid in the order of their addresses, decoys in rows of their own above the hosts, so that the lines from attackers,
 * who stand on top, cross no host. Cells do not overlap, and text is cut to its cell.
 */
export function layoutMap({ segments, attackers }: MapInput): MapLayout {
  const perRow = segments.length <= 3 ? Math.max(1, segments.length) : Math.ceil(Math.sqrt(segments.length))
  const columns = Math.max(3, Math.min(8, Math.ceil(Math.sqrt(Math.max(0, ...segments.map(machinesIn)) * 1.2))))
  const zoneWidth = columns * cell.width + 2 * zonePad
  const width = Math.max(720, 2 * margin + perRow * zoneWidth + (perRow - 1) * zoneGap)
  const attackersPerRow = Math.max(1, Math.floor((width - 2 * margin) / cell.width))
  const top = headHeight + Math.ceil(attackers.length / attackersPerRow) * attackerRow
  const layout: MapLayout = { width, height: top, nodes: [], zones: [], lines: [] }
  let y = top
  for (let row = 0; row * perRow < segments.length; row++) {
    const inRow = segments.slice(row * perRow, (row + 1) * perRow)
    const heights = inRow.map((segment) => zoneHead + 2 * zonePad + rowsOf(segment, columns) * cell.height)
    const left = (width - inRow.length * zoneWidth - (inRow.length - 1) * zoneGap) / 2
    inRow.forEach((segment, i) => {
      const x = left + i * (zoneWidth + zoneGap)
      drawZone(layout, segment, { x, y, width: zoneWidth, height: heights[i] ?? zoneHead }, columns)
    })
    y += Math.max(...heights) + zoneGap
  }
  layout.height = y + 48
  placeAttackers(layout, attackers, attackersPerRow)
  return layout
}

const machinesIn = ({ hosts, decoys }: MapSegment) => hosts.length + decoys.length
const rowsOf = ({ hosts, decoys }: MapSegment, columns: number) =>
  Math.max(1, Math.ceil(decoys.length / columns) + Math.ceil(hosts.length / columns))

function drawZone(
  layout: MapLayout,
  segment: MapSegment,
  box: { x: number; y: number; width: number; height: number },
  columns: number,
): void {
  const ready = segment.decoys.filter(({ phase }) => phase === 'ready').length
  layout.zones.push({
    ...box,
    title: cut(segment.name, 44),
    subtitle: [
      segment.cidr ?? 'network not known yet',
      `${segment.hosts.filter(({ status }) => status === 'up').length} hosts`,
      `${ready} of ${segment.decoys.length} decoys ready`,
      segment.agents.length > 0 ? `appliance ${cut(segment.agents.join(', '), 24)}` : 'no appliance',
    ].join(' · '),
  })
  const place = (machines: readonly Unplaced[], firstRow: number) =>
    machines.forEach((node, i) => {
      layout.nodes.push({
        ...node,
        lines: node.lines.filter((line) => line !== ''),
        x: box.x + zonePad + ((i % columns) + 0.5) * cell.width,
        y: box.y + zoneHead + zonePad + (firstRow + Math.floor(i / columns)) * cell.height + 18,
        width: cell.width,
      })
    })
  place([...segment.decoys].sort(byAddress).map(decoyNode), 0)
  place(
    [...segment.hosts].sort(byAddress).map((host) => hostNode(host, segment.gateway)),
    Math.ceil(segment.decoys.length / columns),
  )
}

type Unplaced = Pick<MapNode, 'kind' | 'title' | 'lines'>

const hostNode = ({ ip, name, system, status }: MapHost, gateway: string | undefined): Unplaced => ({
  kind: status === 'gone' ? 'gone' : ip === gateway ? 'gateway' : 'host',
  title: `${ip} ${name ?? ''} ${system}`.trim(),
  lines: [
    ip,
    cut(name ?? (ip === gateway ? 'gateway' : ''), labelChars),
    cut(system === 'unknown' ? '' : system, labelChars),
  ],
})

const decoyNode = ({ ip, name, phase }: MapDecoy): Unplaced => ({
  kind: phase === 'ready' ? 'decoy' : 'decoy-down',
  title: `decoy ${ip} ${name}, ${phase}`,
  lines: [ip, cut(name, labelChars), phase === 'ready' ? 'decoy' : `decoy, ${phase}`],
})

function placeAttackers(layout: MapLayout, attackers: readonly MapAttacker[], perRow: number): void {
  const decoys = new Map(
    layout.nodes.filter(({ kind }) => kind === 'decoy' || kind === 'decoy-down').map((node) => [node.lines[0], node]),
  )
  attackers.forEach(({ ip, score, blocked, touched }, i) => {
    const inRow = Math.min(perRow, attackers.length - Math.floor(i / perRow) * perRow)
    const x =
      layout.width / 2 + ((i % perRow) - (inRow - 1) / 2) * Math.min(cell.width * 1.6, (layout.width - 64) / inRow)
    const y = headHeight + 24 + Math.floor(i / perRow) * attackerRow
    const lines = [
      ip,
      [score === undefined ? '' : `risk ${Math.round(score)}`, blocked ? 'blocked' : ''].filter(Boolean).join(', '),
    ].filter((line) => line !== '')
    layout.nodes.push({ kind: blocked ? 'blocked' : 'attacker', x, y, width: cell.width, title: `source ${ip}`, lines })
    for (const decoy of touched.map((address) => decoys.get(address)))
      if (decoy)
        layout.lines.push({ kind: 'touch', from: [x, y + 20 + 13 * lines.length], to: [decoy.x, decoy.y - 13] })
  })
}

const byAddress = (a: { ip: string }, b: { ip: string }) => order(a.ip) - order(b.ip)
const order = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const cut = (text: string, length: number) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`)
