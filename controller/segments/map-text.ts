import { forTerminal } from '../../shared/terminal.ts'
import type { MapAttacker, MapInput, MapSegment } from './map-layout.ts'

/** The map for a terminal of `width` columns: each segment a frame, its machines in columns, attackers at the end. */
export function textMap({ segments, attackers }: MapInput, width = 80): string {
  const parts = segments.map((segment) => frame(segment, width))
  if (attackers.length > 0) parts.push(attackersText(attackers, width))
  const legend = cut('Legend: [ ] host  [G] gateway  [x] gone  <D> decoy ready  <.> decoy not ready', width)
  return `${[...parts, legend].join('\n\n')}\n`
}

function frame(segment: MapSegment, width: number): string {
  const inner = width - 4
  const head = ` ${safe(segment.name)}  ${segment.cidr ?? 'network not known yet'} `
  const machines = [
    ...segment.hosts.map((host) => ({
      ip: host.ip,
      text: `${host.status === 'gone' ? '[x]' : host.ip === segment.gateway ? '[G]' : '[ ]'} ${host.ip} ${safe(host.name ?? host.system)}`,
    })),
    ...segment.decoys.map(({ ip, name, phase }) => ({
      ip,
      text: `${phase === 'ready' ? '<D>' : '<.>'} ${ip} ${safe(name)}`,
    })),
  ].sort((a, b) => order(a.ip) - order(b.ip))
  const columns = inner >= 74 ? 2 : 1
  const columnWidth = Math.floor((inner - (columns - 1) * 2) / columns)
  const rows = Math.ceil(machines.length / columns)
  const body = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => pad(machines[row + column * rows]?.text ?? '', columnWidth)).join(
      '  ',
    ),
  )
  const agents = segment.agents.length > 0 ? `appliance ${segment.agents.map(safe).join(', ')}` : 'no appliance'
  return [
    `+-${pad(cut(head, inner), inner, '-')}-+`,
    `| ${pad(agents, inner)} |`,
    ...(body.length > 0 ? body : ['no hosts seen yet']).map((line) => `| ${pad(line, inner)} |`),
    `+-${'-'.repeat(inner)}-+`,
  ].join('\n')
}

function attackersText(attackers: readonly MapAttacker[], width: number): string {
  const lines = attackers.map(({ ip, score, blocked, touched }) => {
    const risk = score === undefined ? '' : ` risk ${Math.round(score)}`
    const shown =
      touched.length > 3 ? `${touched.slice(0, 3).join(', ')} and ${touched.length - 3} more` : touched.join(', ')
    return cut(`  ! ${ip}${risk}${blocked ? ' (blocked)' : ''} -> ${shown || 'no decoy'}`, width)
  })
  return ['Attackers', ...lines].join('\n')
}

const safe = (value: string) => forTerminal(value, 64)
const order = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const cut = (value: string, width: number) => (value.length <= width ? value : `${value.slice(0, width - 1)}…`)
const pad = (value: string, width: number, fill = ' ') => cut(value, width).padEnd(width, fill)
