import { InvalidArgumentError } from 'commander'

export type AskedRing = { name: string; agents: string[]; tags: string[]; percent?: number }

/**
 * `canary=tag:canary|office-1,10%,50%,100%`: rings one after the other, each of who is named, who bears a tag, and a share of
 * the fleet; what stands before `=` is its name. An option's parser for commander.
 */
export function parseRings(text: string): AskedRing[] {
  const rings = text.split(',').map((word): AskedRing => {
    const [, name, who] = /^(?:([^=]{1,64})=)?(.+)$/.exec(word.trim()) ?? []
    if (who === undefined) throw new InvalidArgumentError('A ring is empty.')
    const ring: AskedRing = { name: name ?? who.slice(0, 64), agents: [], tags: [] }
    for (const one of who.split('|').map((some) => some.trim())) {
      const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(one)?.[1]
      if (percent !== undefined) ring.percent = Number(percent)
      else if (one.startsWith('tag:')) ring.tags.push(one.slice(4))
      else if (one !== '') ring.agents.push(one)
    }
    if (ring.percent !== undefined && ring.percent > 100) throw new InvalidArgumentError('At most 100%.')
    return ring
  })
  const shares = rings.flatMap(({ percent }) => percent ?? [])
  if (shares.some((share, i) => share <= (shares[i - 1] ?? 0)))
    throw new InvalidArgumentError('Shares are of the whole fleet and have to rise, as 10%,50%,100%.')
  return rings
}

/** `500kB/s`, `2MB/s`: bytes a second. */
export function parseRate(text: string): number {
  const [, value, unit = ''] = /^(\d{1,9}(?:\.\d+)?) ?([kM]?)B(?:\/s)?$/.exec(text) ?? []
  if (value === undefined) throw new InvalidArgumentError('Write it as 500kB/s or 2MB/s.')
  return Math.round(Number(value) * { '': 1, k: 1000, M: 1_000_000 }[unit as '' | 'k' | 'M'])
}

/** `5%` or `5`. */
export function parsePercent(text: string): number {
  const value = Number(text.replace(/%$/, ''))
  if (text.trim() === '' || !(value >= 0 && value <= 100)) throw new InvalidArgumentError('Give a share such as 5%.')
  return value
}
