import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { newId } from '../../../shared/ids.ts'
import { type BlockList, blockList } from '../../../shared/schemas/desired-state.ts'
import { signDocument, verifyDocument } from '../../../shared/signing.ts'

const keys = generateKeyPairSync('ed25519')
const agent = newId()
const now = Date.parse('2026-01-01T00:00:00Z')
const list: BlockList = {
  kind: 'blocks',
  agent,
  revision: 3,
  issuedAt: '2026-01-01T00:00:00Z',
  expiresAt: '2026-01-08T00:00:00Z',
  entries: [{ id: newId(), cidr: '198.18.9.9/32', until: '2026-01-01T01:00:00Z' }],
  neverBlock: [],
}
const wire = (document: unknown, key = keys.privateKey) => JSON.stringify(signDocument(document, key))
const expect = { publicKey: keys.publicKey, agent, now }

t.test('a document comes through as it was signed', async (t) => {
  t.same(verifyDocument(wire(list), blockList, expect), list)
})

t.test('each way to go wrong has its own code', async (t) => {
  const stranger = generateKeyPairSync('ed25519').privateKey
  const altered = wire(list).replace('198.18.9.9', '198.18.9.8')
  const cases: [string, string, { code: string }][] = [
    ['signed by another', wire(list, stranger), { code: 'DOCUMENT_FORGED' }],
    ['altered on the way', altered, { code: 'DOCUMENT_FORGED' }],
    ['for another agent', wire({ ...list, agent: newId() }), { code: 'DOCUMENT_FOREIGN' }],
    ['expired', wire({ ...list, expiresAt: '2025-12-31T23:59:59Z' }), { code: 'DOCUMENT_EXPIRED' }],
    ['of another kind', wire({ ...list, kind: 'plan' }), { code: 'DOCUMENT_MALFORMED' }],
    ['no JSON', '{"v":1,', { code: 'DOCUMENT_MALFORMED' }],
    ['empty', '', { code: 'DOCUMENT_MALFORMED' }],
  ]
  for (const [name, payload, error] of cases) t.throws(() => verifyDocument(payload, blockList, expect), error, name)
})
