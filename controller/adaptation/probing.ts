import probing from './probing.json' with { type: 'json' }

/** Signs of somebody who tests whether it is a decoy. Patterns have bounded work and see so much of a line. */
const signs = probing.signs.map(({ name, points, pattern }) => ({ name, points, pattern: new RegExp(pattern, 'i') }))
const longestLine = 512

/** Names of the signs that these lines show, each once; the lines are the attacker's. */
export const signsIn = (lines: readonly string[]): string[] =>
  signs.filter(({ pattern }) => lines.some((line) => pattern.test(line.slice(0, longestLine)))).map(({ name }) => name)

/** Whether the signs together say that somebody looks for decoys. */
export const isProbing = (found: readonly string[]): boolean =>
  signs.reduce((sum, { name, points }) => sum + (found.includes(name) ? points : 0), 0) >= probing.proberAt

/** Signs by which waits, not contents, are tested. */
export const takesTheTime = (found: readonly string[]): boolean => found.includes('takes-the-time')
