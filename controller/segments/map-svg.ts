import { layoutMap, type MapInput, type MapLine, type MapNode, type MapZone, type NodeKind } from './map-layout.ts'

/** Okabe and Ito's colours, which people with any colour vision tell apart; shapes differ too. */
const look: Record<NodeKind, { fill: string; stroke: string; shape: Shape; legend: string }> = {
  host: { fill: '#ffffff', stroke: '#0072b2', shape: 'box', legend: 'host' },
  gateway: { fill: '#0072b2', stroke: '#0072b2', shape: 'box', legend: 'gateway' },
  gone: { fill: '#ffffff', stroke: '#9a9a9a', shape: 'dashed', legend: 'host, gone' },
  decoy: { fill: '#009e73', stroke: '#00654a', shape: 'diamond', legend: 'decoy, ready' },
  'decoy-down': { fill: '#ffffff', stroke: '#009e73', shape: 'diamond', legend: 'decoy, not ready' },
  attacker: { fill: '#d55e00', stroke: '#8f3f00', shape: 'triangle', legend: 'attacker' },
  blocked: { fill: '#ffffff', stroke: '#d55e00', shape: 'triangle', legend: 'attacker, blocked' },
}

type Shape = 'box' | 'dashed' | 'diamond' | 'triangle'

/** The map as an SVG document. Text is escaped and control characters are left out; nothing in it is active. */
export function svgMap(input: MapInput): string {
  const { width, height, zones, nodes, lines } = layoutMap(input)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans, Verdana, sans-serif">`,
    `<title>${text(input.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#f7f7f4"/>`,
    `<text x="32" y="42" font-size="22" font-weight="bold" fill="#1a1a1a">${text(input.title)}</text>`,
    `<text x="32" y="64" font-size="12" fill="#555555">${text(input.at)}</text>`,
    ...zones.map(zoneSvg),
    ...lines.map(lineSvg),
    ...zones.map(zoneTitleSvg),
    ...nodes.map(nodeSvg),
    legendSvg(nodes, height - 24),
    '</svg>',
    '',
  ].join('\n')
}

const zoneSvg = ({ x, y, width, height }: MapZone) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="#ffffff" stroke="#c9c9c2"/>
<path d="M${x} ${y + 54}h${width}" stroke="#e4e4de"/>`

/** Drawn after the lines, with a rim, so that it stays readable where one passes. */
const zoneTitleSvg = ({ x, y, width, title, subtitle }: MapZone) =>
  `<g paint-order="stroke" stroke="#ffffff" stroke-width="4" stroke-linejoin="round"><text x="${x + 16}" y="${y + 25}" font-size="16" font-weight="bold" fill="#1a1a1a">${text(title)}</text>
<text x="${x + 16}" y="${y + 44}" font-size="${width < 480 ? 9.5 : 11}" fill="#555555">${text(subtitle)}</text></g>`

function lineSvg({ from: [x1, y1], to: [x2, y2] }: MapLine): string {
  const bend = (y1 + y2) / 2
  return `<path d="M${at(x1)} ${at(y1)}C${at(x1)} ${at(bend)} ${at(x2)} ${at(bend)} ${at(x2)} ${at(y2)}" fill="none" stroke="#d55e00" stroke-width="1.5" stroke-opacity="0.55"/>`
}

function nodeSvg({ kind, x, y, title, lines }: MapNode): string {
  const words = lines
    .map((line, i) =>
      line === ''
        ? ''
        : `<text x="${at(x)}" y="${at(y + 27 + i * 13)}" font-size="${i === 0 ? 11 : 10}" text-anchor="middle" fill="${i === 0 ? '#1a1a1a' : '#555555'}" paint-order="stroke" stroke="#ffffff" stroke-width="3">${text(line)}</text>`,
    )
    .join('')
  return `<g><title>${text(title)}</title>${shapeSvg(kind, x, y)}${words}</g>`
}

function shapeSvg(kind: NodeKind, x: number, y: number): string {
  const { fill, stroke, shape } = look[kind]
  const paint = `fill="${fill}" stroke="${stroke}" stroke-width="2"`
  if (shape === 'diamond') return `<path d="M${at(x)} ${at(y - 12)}l12 12l-12 12l-12 -12z" ${paint}/>`
  if (shape === 'triangle') return `<path d="M${at(x)} ${at(y - 13)}l13 24h-26z" ${paint} stroke-linejoin="round"/>`
  const dashes = shape === 'dashed' ? ' stroke-dasharray="3 3"' : ''
  return `<rect x="${at(x - 13)}" y="${at(y - 10)}" width="26" height="20" rx="3" ${paint}${dashes}/>`
}

/** Only what the map shows. */
function legendSvg(nodes: readonly MapNode[], y: number): string {
  const kinds = (Object.keys(look) as NodeKind[]).filter((kind) => nodes.some((node) => node.kind === kind))
  let x = 48
  return kinds
    .map((kind) => {
      const here = x
      x += 44 + look[kind].legend.length * 7
      return `${shapeSvg(kind, here, y - 4)}<text x="${here + 20}" y="${y}" font-size="12" fill="#333333">${look[kind].legend}</text>`
    })
    .join('\n')
}

const at = (value: number) => Math.round(value * 10) / 10

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids them, and overrides of direction could mislead
const notDrawn = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g

function text(value: string): string {
  return value
    .toWellFormed()
    .replace(notDrawn, '')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
