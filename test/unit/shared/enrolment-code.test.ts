import { randomBytes } from 'node:crypto'
import t from 'tap'
import { codeText, parseCode, secretFrom, verifierOf } from '../../../shared/enrolment-code.ts'

const fingerprint = 'ab'.repeat(32)
const secret = secretFrom(Buffer.from('0123456789', 'hex'))
const verifier = await verifierOf(fingerprint, secret)
const code = codeText({ secret, verifier })
const groups = code.split('-')
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const told = (typed: string): string => {
  try {
    parseCode(typed)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

t.test('a code is read as it was made, whatever way it is typed', async (t) => {
  t.match(code, /^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/)
  const ways = [
    code,
    code.toLowerCase(),
    groups.join(''),
    ` ${groups.join(' ')}\n`,
    code.replaceAll('0', 'o').replaceAll('1', 'l'),
  ]
  for (const way of ways) t.strictSame(parseCode(way), { secret, verifier })
  for (let i = 0; i < 200; i++) {
    const any = {
      secret: secretFrom(randomBytes(5)),
      verifier: secretFrom(randomBytes(5)) + secretFrom(randomBytes(5)).slice(4),
    }
    t.strictSame(parseCode(codeText(any)), any)
  }
})

t.test('each wrong character, and each two that changed places, are told by their group', async (t) => {
  const symbols = groups.join('')
  const groupOf = (at: number) => new RegExp(`group ${Math.floor(at / 5) + 1} \\(`)
  for (let at = 0; at < symbols.length; at++) {
    for (const other of alphabet) {
      if (other === symbols[at]) continue
      t.match(told(symbols.slice(0, at) + other + symbols.slice(at + 1)), groupOf(at))
    }
    for (let to = at + 1; to < Math.floor(at / 5) * 5 + 5; to++) {
      if (symbols[at] === symbols[to]) continue
      const swapped = [...symbols]
      ;[swapped[at], swapped[to]] = [symbols[to] as string, symbols[at] as string]
      t.match(told(swapped.join('')), groupOf(at))
    }
  }
})

t.test('groups that changed places, are missing, too short, or of another alphabet, are told', async (t) => {
  const [a, b, c, d, e] = groups as [string, string, string, string, string]
  t.match(told([b, a, c, d, e].join('-')), /group 1 .*group 2 /)
  t.match(told([a, b, c.slice(1), d, e].join('-')), /mistyped: group 3 \(.{4}\) has 4 characters instead of 5$/)
  t.match(told([a, b, c, d].join('-')), /has 20 characters instead of 25/)
  t.match(told([a, b, c, 'UUUUU', e].join(' ')), /group 4 \(UUUUU\) has U, which no code has/)
  t.match(told(''), /has 0 characters/)
  t.match(told('€'.repeat(25)), /group 1/)
})

t.test('what a code says of a CA holds for that CA and that code alone', async (t) => {
  t.equal(await verifierOf(fingerprint, secret), verifier)
  t.not(await verifierOf('ac'.repeat(32), secret), verifier)
  t.not(await verifierOf(fingerprint, secretFrom(Buffer.from('1123456789', 'hex'))), verifier)
})
