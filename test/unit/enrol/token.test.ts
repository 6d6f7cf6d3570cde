import t from 'tap'
import { parseAddress, parseToken } from '../../../agent/enrol/token.ts'

const now = Date.parse('2026-03-01T00:00:00Z')
const body = { id: 'invitation-1', secret: 's3cret', ca: 'a'.repeat(64), exp: '2026-03-02T00:00:00Z' }
const token = (more: object = {}) => `ml1.${Buffer.from(JSON.stringify({ ...body, ...more })).toString('base64url')}`

t.test('reads what an invitation says', async (t) => {
  t.strictSame(parseToken(`  ${token({ controller: 'c:8884' })}\n`, now), { ...body, controller: 'c:8884' })
})

t.test('a bad token is refused without being quoted', async (t) => {
  for (const bad of ['', 'ml2.abc', token().slice(0, -20), token({ ca: 'short' }), token({ secret: '' })]) {
    const error = t.throws(() => parseToken(bad, now), { code: 'TOKEN_INVALID' }) as unknown as Error
    t.notMatch(error.message, 's3cret')
  }
  t.throws(() => parseToken(token(), Date.parse(body.exp)), { code: 'TOKEN_EXPIRED', details: { id: body.id } })
})

t.test('an address is host and port', async (t) => {
  t.strictSame(parseAddress('marsh.example:8884'), { host: 'marsh.example', port: 8884 })
  t.strictSame(parseAddress('[fd00::1]:443'), { host: 'fd00::1', port: 443 })
  for (const bad of ['host', 'host:', 'host:0', 'host:65536', 'a b:1', 'https://host:1', '-:x'])
    t.throws(() => parseAddress(bad), { code: 'USAGE' }, bad)
})
