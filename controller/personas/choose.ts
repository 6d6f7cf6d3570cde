import { pickWeighted, type Random } from '../../shared/random.ts'
import { type Catalogue, templateOf } from './catalogue.ts'
import { type Neighbour, recognise } from './neighbours.ts'
import type { Template } from './template.ts'

export type Choice = {
  template: Template
  because: string
  /** Weights that were drawn from, heaviest first. */
  scores: { template: string; score: number }[]
  /** No neighbour is of a kind that the catalogue has; this is the nearest. */
  nearest: boolean
}

/** What an appliance can play: without `services`, only what has SSH or telnet. */
export type Playable = { services: boolean }

/**
 * Draws what a new decoy of the segment shall be: weighted as its hosts are, and a little as threat feeds say that such
 * hosts are hunted.
 */
export function choose(
  catalogue: Catalogue,
  neighbours: readonly Neighbour[],
  random: Random,
  playable: Playable = { services: false },
): Choice {
  const sums = new Map<string, number>()
  for (const { votes } of recognise(catalogue, neighbours))
    for (const [id, weight] of votes)
      if (isPlayable(needed(catalogue, id), playable)) sums.set(id, (sums.get(id) ?? 0) + weight)
  const scores = [...sums]
    .map(([template, score]) => ({
      template,
      score: Math.round(score * (huntedOf(catalogue, template)?.weight ?? 1) * 100) / 100,
    }))
    .sort((a, b) => b.score - a.score || a.template.localeCompare(b.template))
    // A trace of a system among many of another is more likely a wrong guess than a neighbour.
    .filter(({ score }, _, all) => score >= 0.05 * (all[0]?.score ?? 0))
  if (scores.length === 0) return nearestTo(catalogue, neighbours, random, playable)
  const id = pickWeighted(
    random,
    scores.map(({ template, score }) => [template, score] as const),
  )
  const template = needed(catalogue, id)
  const score = sums.get(id) ?? 0
  const hunted = huntedOf(catalogue, id)
  const feed = hunted ? `; weight ${hunted.weight}: ${hunted.because} (${catalogue.threats.date})` : ''
  return {
    template,
    because: `${template.label}: ${round(score)} of ${neighbours.length} hosts speak for it (${scores
      .slice(0, 4)
      .map((one) => `${one.template} ${one.score}`)
      .join(', ')})${feed}`,
    scores,
    nearest: false,
  }
}

export const isPlayable = ({ ssh, telnet }: Template, { services }: Playable): boolean =>
  services || ssh !== null || telnet !== null

const huntedOf = ({ threats }: Catalogue, id: string) =>
  threats.families.find(({ match }) => new RegExp(match).test(id))

function nearestTo(catalogue: Catalogue, neighbours: readonly Neighbour[], random: Random, playable: Playable): Choice {
  const kinds = neighbours.map((neighbour) => {
    const text = [
      ...neighbour.os.map(({ name }) => name),
      neighbour.vendor,
      ...neighbour.ports.flatMap(({ service, product, extra }) => [service, product, extra]),
    ].join(' ')
    return catalogue.nearest.find(({ pattern }) => new RegExp(pattern, 'i').test(text)) ?? last(catalogue)
  })
  const kind =
    kinds.length > 0
      ? pickWeighted(
          random,
          kinds.map((one) => [one, 1] as const),
        )
      : last(catalogue)
  const fitting = kind.templates.filter((id) => isPlayable(needed(catalogue, id), playable))
  const [first, ...others] = fitting.length > 0 ? fitting : last(catalogue).templates
  const id = pickWeighted(random, [[first ?? '', 2] as const, ...others.map((one) => [one, 1] as const)])
  const template = needed(catalogue, id)
  const seen =
    neighbours.length === 0 ? 'no host was seen yet' : `the hosts seen are not in the catalogue (${kind.name})`
  return {
    template,
    because: `${template.label}: ${seen}; this is the nearest that can be imitated`,
    scores: [{ template: id, score: 0 }],
    nearest: true,
  }
}

const last = ({ nearest }: Catalogue) => nearest.at(-1) ?? { pattern: '', name: 'nothing', templates: ['debian-12'] }
const round = (value: number) => Math.round(value * 10) / 10

function needed(catalogue: Catalogue, id: string): Template {
  const template = templateOf(catalogue, id)
  if (!template) throw new Error(`the catalogue names ${id} but has no such template`)
  return template
}
