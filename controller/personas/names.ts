import { pick, pickWeighted, type Random } from '../../shared/random.ts'
import { hostname } from '../../shared/schemas/common.ts'

type Numbered = { prefix: string; suffix: string; width: number; numbers: number[] }
export type NamePatterns = { numbered: Numbered[]; plain: string[]; domain?: string }

/** What hosts are for, as names say it. */
const roleWords = ['files', 'build', 'wiki', 'backup', 'db', 'proxy', 'git', 'print', 'dev', 'test', 'monitor', 'app']

/** Names that no person gave: container ids, addresses spelled out. */
const machineMade = /^[0-9a-f]{12,}$|^(ip|host|dhcp|client|pc)?-?\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}$/i

/**
 * How hosts are called here: prefix, number and its width, names without a number, the domain most of them are in.
 * Names are from outside: what is no host name label is passed over.
 */
export function learnNames(names: readonly string[]): NamePatterns {
  const numbered = new Map<string, Numbered>()
  const plain = new Set<string>()
  const domains = new Map<string, number>()
  for (const name of new Set(names)) {
    const [label = '', ...rest] = name.replace(/\.$/, '').split('.')
    if (!hostname.safeParse(label).success || machineMade.test(label) || /^\d+$/.test(label)) continue
    const domain = rest.join('.').toLowerCase()
    if (rest.length > 0 && rest.every((part) => hostname.safeParse(part).success) && domain.length <= 200)
      domains.set(domain, (domains.get(domain) ?? 0) + 1)
    const match = /^(.*?)(\d{1,6})(\D*)$/.exec(label)
    if (!match) {
      plain.add(label)
      continue
    }
    const [, prefix = '', digits = '', suffix = ''] = match
    // A number without a leading zero may be of any width: web9 and web10 are one pattern.
    const width = digits.startsWith('0') ? digits.length : 1
    const known = [...numbered.values()].find(
      (one) => one.prefix === prefix && one.suffix === suffix && (one.width === digits.length || width === 1),
    )
    if (known) {
      known.numbers.push(Number(digits))
      known.width = Math.max(known.width, width)
    } else numbered.set(label, { prefix, suffix, width, numbers: [Number(digits)] })
  }
  const [domain] = [...domains].sort((a, b) => b[1] - a[1])[0] ?? []
  return { numbered: [...numbered.values()], plain: [...plain], ...(domain !== undefined && { domain }) }
}

export type NextName = { name: string; because: string }

/**
 * The next name that would fit among these and is not taken (compared without case). `defaults` are names such a
 * system has when nobody gave it one; they serve where no pattern is seen.
 */
export function nextName(
  patterns: NamePatterns,
  taken: ReadonlySet<string>,
  random: Random,
  defaults: readonly string[],
): NextName {
  const free = (name: string) =>
    !taken.has(name.toLowerCase()) && !patterns.plain.some((one) => one.toLowerCase() === name.toLowerCase())
  const groups: (readonly [Numbered | 'plain', number])[] = patterns.numbered.map((one) => [one, one.numbers.length])
  if (patterns.plain.length > 0) groups.push(['plain', patterns.plain.length])
  if (groups.length > 0) {
    const group = pickWeighted(random, groups)
    const found = group === 'plain' ? anotherWord(patterns.plain, free, random) : nextNumber(group, free, random)
    if (found && hostname.safeParse(found.name).success) return found
  }
  const fallback = patterns.numbered[0]
  const counted = fallback && nextNumber(fallback, free, random)
  if (counted && hostname.safeParse(counted.name).success) return counted
  const first = defaults.find(free)
  if (first !== undefined)
    return { name: first, because: 'no pattern in the names of the segment; the usual name of such a system' }
  for (let n = 2; ; n++) {
    const name = `${defaults[0] ?? 'host'}${n}`
    if (free(name))
      return { name, because: 'no pattern in the names of the segment; the usual name of such a system, counted on' }
  }
}

function nextNumber(
  { prefix, suffix, width, numbers }: Numbered,
  free: (name: string) => boolean,
  random: Random,
): NextName | undefined {
  const spell = (n: number) => `${prefix}${String(n).padStart(width, '0')}${suffix}`
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  const used = new Set(numbers)
  const fits = (n: number) => !used.has(n) && free(spell(n))
  const options: (readonly [number, number])[] = []
  for (let n = low + 1, gaps = 0; n < high && gaps < 8; n++)
    if (fits(n)) {
      options.push([n, 2])
      gaps++
    }
  for (let n = high + 1; n <= high + 64 && options.length < 12; n++)
    if (fits(n)) options.push([n, options.some(([other]) => other > high) ? 0.5 : 5])
  if (options.length === 0) return undefined
  const chosen = spell(pickWeighted(random, options))
  const seen = numbers.slice(0, 3).map(spell).join(', ')
  return { name: chosen, because: `goes on with ${seen}${numbers.length > 3 ? ' ...' : ''}` }
}

function anotherWord(plain: readonly string[], free: (name: string) => boolean, random: Random): NextName | undefined {
  const prefixes = plain.map((name) => /^([A-Za-z0-9]+[-_])/.exec(name)?.[1]).filter((one) => one !== undefined)
  const common = prefixes.find((one, i) => prefixes.indexOf(one) !== i) ?? ''
  const upper = plain.every((name) => name === name.toUpperCase())
  const options = roleWords.map((word) => `${common}${upper ? word.toUpperCase() : word}`).filter(free)
  if (options.length === 0) return undefined
  return { name: pick(random, options), because: `a role as in ${plain.slice(0, 3).join(', ')}` }
}
