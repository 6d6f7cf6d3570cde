import { scrypt } from 'node:crypto'
import { MarshlightError } from './errors.ts'

/**
 * A code that people type, in five groups of five characters:
 *
 *   secret (40 bits, serves once) | fingerprint of the CA, stretched (60 bits) = 20 symbols of 5 bits, 4 to a group
 *   a group = 4 symbols and one that checks them
 *
 * The symbols are Crockford's: no I, L, O, U, so that they are read in one way. See docs/decisions on what the parts hold off.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const groups = 5
const groupSymbols = 4
const secretSymbols = 8
const verifierSymbols = 12
export const codeSecret = new RegExp(`^[${alphabet}]{${secretSymbols}}$`)

/** Both as symbols. The secret convinces the controller, the verifier the box. */
export type EnrolmentCode = { secret: string; verifier: string }

/** 40 random bits as symbols. */
export const secretFrom = (random: Buffer): string => symbolsOf(random, secretSymbols)

/** 16 MiB and some tenths of a second, on a Raspberry Pi about one: each guess of a CA costs as much. */
const cost = { N: 2 ** 14, r: 8, p: 5 }

/** What the code says of the CA whose certificate has this fingerprint (SHA-256, hexadecimal). */
export const verifierOf = (fingerprint: string, secret: string): Promise<string> =>
  new Promise((resolve, reject) =>
    // With the secret in it nobody can look for a CA that fits before he knows the code.
    scrypt(Buffer.from(fingerprint, 'hex'), `marshlight code 1 ${secret}`, 8, cost, (error, key) =>
      error ? reject(error) : resolve(symbolsOf(key, verifierSymbols)),
    ),
  )

export function codeText({ secret, verifier }: EnrolmentCode): string {
  const symbols = secret + verifier
  return Array.from({ length: groups }, (_, i) => {
    const group = symbols.slice(i * groupSymbols, (i + 1) * groupSymbols)
    return group + checkOf(group, i)
  }).join('-')
}

/**
 * The code in what somebody typed: small letters, blanks and dashes as he likes, O for 0, I and L for 1.
 * Throws CODE_MISTYPED, which names the groups that cannot be right.
 */
export function parseCode(typed: string): EnrolmentCode {
  const cleaned = typed.trim().toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  const parts = cleaned.split(/[\s-]+/).filter((part) => part !== '')
  const joined = parts.join('')
  const width = groupSymbols + 1
  // Written in groups, it is read in groups: a missing character does not shift all that follow.
  const read = parts.length === groups ? parts : (joined.match(new RegExp(`.{1,${width}}`, 'gsu')) ?? [])
  if (parts.length !== groups && joined.length !== groups * width)
    throw mistyped(`: it has ${joined.length} characters instead of ${groups * width}`)
  const wrong = read.flatMap((group, i) => {
    const why = whyWrong(group, i, width)
    return why === undefined ? [] : [`group ${i + 1} (${group.slice(0, 12)}) ${why}`]
  })
  if (wrong.length > 0) throw mistyped(`: ${wrong.join(', ')}`)
  const symbols = read.map((group) => group.slice(0, groupSymbols)).join('')
  return { secret: symbols.slice(0, secretSymbols), verifier: symbols.slice(secretSymbols) }
}

const mistyped = (where: string) => new MarshlightError('CODE_MISTYPED', { where })

function whyWrong(group: string, position: number, width: number): string | undefined {
  if (group.length !== width) return `has ${group.length} characters instead of ${width}`
  const strange = [...group].find((symbol) => !alphabet.includes(symbol))
  if (strange !== undefined) return `has ${strange}, which no code has`
  const check = checkOf(group.slice(0, groupSymbols), position)
  return group.endsWith(check) ? undefined : 'does not fit its last character'
}

/**
 * Over GF(2^5) (x^5 + x^2 + 1) with another weight for each place: one wrong symbol, or two that changed places, never fit.
 * The group's position goes in, so that groups that changed places do not fit either.
 */
function checkOf(group: string, position: number): string {
  let sum = position + 1
  for (const [i, symbol] of [...group].entries()) {
    let product = alphabet.indexOf(symbol)
    for (let power = 0; power <= i; power++) product = product & 16 ? ((product << 1) ^ 0b100101) & 31 : product << 1
    sum ^= product
  }
  return alphabet[sum] as string
}

/** The first `count` symbols, of 5 bits each, that `bytes` begins with. */
function symbolsOf(bytes: Buffer, count: number): string {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  const all = bytes.length * 8
  return Array.from({ length: count }, (_, i) => alphabet[Number((bits >> BigInt(all - 5 * (i + 1))) & 31n)]).join('')
}
