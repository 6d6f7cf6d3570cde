import t from 'tap'
import { makeSearch } from '../../../controller/honey/candidates.ts'
import { makesAnswer } from '../../../controller/honey/proofs.ts'
import type { Planted } from '../../../controller/personas/index.ts'
import { type LoginProof, loginProof } from '../../../shared/schemas/login-proof.ts'

const wide = (text: string) => Buffer.from(text, 'utf16le').toString('hex')
/** MS-NLMP, 4.2: the document's own user, password and challenges. */
const [clientChallenge, zeros] = ['aa'.repeat(8), '00']
const blob = `0101${zeros.repeat(6)}${zeros.repeat(8)}${clientChallenge}${zeros.repeat(4)}02000c00${wide('Domain')}01000c00${wide('Server')}${zeros.repeat(8)}`
const serverChallenge = '0123456789abcdef'

type Example = { name: string; username: string; password: string; proof: LoginProof }

const examples: Example[] = [
  {
    name: 'NTLM 2 (MS-NLMP, 4.2.4)',
    ...{ username: 'User', password: 'Password' },
    proof: {
      scheme: 'ntlm',
      salt: serverChallenge,
      domain: 'Domain',
      response: `68cd0ab851e51c96aabc927bebef6a1c${blob}`,
    },
  },
  {
    name: 'NTLM 1 (MS-NLMP, 4.2.2)',
    ...{ username: 'User', password: 'Password' },
    proof: {
      scheme: 'ntlm',
      salt: serverChallenge,
      response: '67c43011f30298a2ad35ece64f16331c44bdbed927841f94',
      lmResponse: '98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13',
    },
  },
  {
    name: 'NTLM 1 with a challenge of the client (MS-NLMP, 4.2.3)',
    ...{ username: 'User', password: 'Password' },
    proof: {
      scheme: 'ntlm',
      salt: serverChallenge,
      response: '7537f803ae367128ca458204bde7caf81e97ed2683267232',
      lmResponse: clientChallenge + zeros.repeat(16),
    },
  },
  {
    name: 'Digest (RFC 2617, 3.5)',
    ...{ username: 'Mufasa', password: 'Circle Of Life' },
    proof: {
      ...{ scheme: 'digest', realm: 'testrealm@host.com', nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093' },
      ...{ uri: '/dir/index.html', method: 'GET', qop: 'auth', nc: '00000001', cnonce: '0a4f113b' },
      response: '6629fae49393a05397450978507c4ef1',
    },
  },
  {
    name: 'Digest with SHA-256 (RFC 7616, 3.9.1)',
    ...{ username: 'Mufasa', password: 'Circle of Life' },
    proof: {
      ...{ scheme: 'digest', realm: 'http-auth@example.org', nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v' },
      ...{ uri: '/dir/index.html', method: 'GET', qop: 'auth', nc: '00000001', algorithm: 'SHA-256' },
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    },
  },
  {
    name: 'SCRAM (RFC 7677, 3)',
    ...{ username: 'user', password: 'pencil' },
    proof: {
      scheme: 'scram-sha-256',
      salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64').toString('hex'),
      iterations: 4096,
      exchange: [
        'n=user,r=rOprNGfwEbeRWgbNEkqO',
        'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
        'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
      ].join(','),
      response: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    },
  },
  // The rest as other programs compute them: Python's hashlib, and DES of its cryptography package.
  {
    name: 'MySQL, native',
    ...{ username: 'reports', password: 'orchard-lamp-77' },
    proof: {
      scheme: 'mysql-native',
      salt: Buffer.from(Array.from({ length: 20 }, (_, at) => at + 1)).toString('hex'),
      response: 'e90feb5d014989627e5f67be9850774112c57047',
    },
  },
  {
    name: 'MySQL, SHA-2',
    ...{ username: 'reports', password: 'orchard-lamp-77' },
    proof: {
      scheme: 'mysql-sha2',
      salt: Buffer.from(Array.from({ length: 20 }, (_, at) => at + 1)).toString('hex'),
      response: 'f8e1fbff7bc474ef3b3a1d44d8737d85aae982025415ec943c5741334bbfc596',
    },
  },
  {
    name: 'PostgreSQL, MD5',
    ...{ username: 'reports', password: 'orchard-lamp-77' },
    proof: { scheme: 'postgres-md5', salt: '01020304', response: 'md5c645e56ec1d01d3d37ee03fa29a73492' },
  },
  {
    name: 'VNC, of which eight letters count',
    ...{ username: '', password: 'Winter2026' },
    proof: { scheme: 'vnc', salt: '000102030405060708090a0b0c0d0e0f', response: 'bbc43ac1e3eb5b90e785d23116238e90' },
  },
]

for (const { name, username, password, proof } of examples)
  t.test(name, async (t) => {
    t.same(loginProof.parse({ ...proof, database: 'x' }), proof, 'as it stands in an event')
    const makes = makesAnswer(proof, username)
    t.ok(makes(password))
    t.notOk(makes(`x${password}`))
    const changed = { ...proof, response: proof.response.replace(/[a-d]/, (one) => (one === 'a' ? 'b' : 'a')) }
    t.notOk(makesAnswer(changed, username)(password), 'an answer that is another')
  })

t.test('what a decoy says is checked before anything is computed of it', async (t) => {
  for (const odd of [
    { scheme: 'ntlm', salt: 'x', response: '' },
    { scheme: 'scram-sha-256', salt: '', iterations: 1e9, exchange: '', response: `${'A'.repeat(43)}=` },
    { scheme: 'vnc', salt: '00', response: '00' },
    { scheme: 'none' },
  ])
    t.notOk(loginProof.safeParse(odd).success, JSON.stringify(odd))
})

const planted = (username: string, password: string): Planted => ({
  ...{ username, password, persona: 'p', service: 's', path: '/x', planted_at: '2026-03-01T10:00:00.000Z' },
})
const many = [
  ...Array.from({ length: 50 }, (_, at) => planted(`other${at}`, `secret-${at}`)),
  planted('Reports', 'orchard-lamp-77'),
]
const postgres = examples.find(({ proof }) => proof.scheme === 'postgres-md5')?.proof as LoginProof

t.test('the tried name’s own come first, and a batch costs no more than its budget', async (t) => {
  const poor = makeSearch(many, 2)
  t.equal(poor.byProof(postgres, 'reports')?.password, 'orchard-lamp-77')
  t.equal(poor.byProof(postgres, 'somebody'), undefined)
  t.equal(poor.leftOut, 50, 'all but one were left out')
  t.equal(makeSearch(many, 1000).byProof(postgres, 'somebody'), undefined, 'the name is part of the answer')
})

t.test('a password is found in a line however it stands there', async (t) => {
  const search = makeSearch([planted('app', 'red-#7 oak')], 0)
  for (const line of [
    `mysql -u app -p'red-#7 oak' crm`,
    String.raw`sshpass -p red-\#7\ oak ssh app@db`,
    `curl -u "app:red-#7 oak" http://intern/`,
    'http://app:red-%237%20oak@intern/',
  ])
    t.equal(search.inText(line)?.username, 'app', line)
})
