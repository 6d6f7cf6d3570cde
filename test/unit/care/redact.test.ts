import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { makeRedactor } from '../../../agent/care/redact.ts'
import { pick, type Random, seededRandom } from '../../../shared/random.ts'

const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const odd = `${letters}+/=_-!$%&*()?#@~'"\\ ;:,.<>|`
const word = (random: Random, of: string, length: number) =>
  Array.from({ length }, () => pick(random, [...of])).join('')

t.test('a secret that is known goes, however it is quoted', async (t) => {
  const random = seededRandom('known secrets')
  for (let i = 0; i < 300; i++) {
    const secret = `${word(random, odd, 6 + Math.floor(random() * 30))}x`.trim()
    if (secret.length < 6) continue
    const clean = makeRedactor([secret])
    const forms = [secret, JSON.stringify(secret), JSON.stringify(JSON.stringify({ a: [secret] }))]
    forms.push(
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
    )
    for (const form of forms) {
      const cleaned = clean(`{"msg":"before ${form} after"}`)
      if (!cleaned.includes(form.slice(1, -1)) && cleaned.includes('after')) continue
      t.fail(`${form} became ${cleaned}`)
    }
  }
  t.equal(makeRedactor(['abc', ''])('abc is too short to be told from words'), 'abc is too short to be told from words')
})

t.test('what looks like a secret goes, known or not', async (t) => {
  const clean = makeRedactor()
  const random = seededRandom('shapes')
  const shapes: ((secret: string) => string)[] = [
    (s) => `enrolled with ml1.${s}`,
    (s) => `authorization: Bearer ${s}`,
    (s) => `proxy https://me:${s}@proxy.example:3128/`,
    (s) => `proxy http://${s}@proxy.example/`,
    (s) => `password=${s}`,
    (s) => `PASSWORD: ${s}`,
    (s) => `{"db_password":"${s}","port":1}`,
    (s) => `{"msg":"{\\"apiKey\\":\\"${s}\\"}"}`,
    (s) => `{"passwords":["${s}","${s}"],"uid":1}`,
    (s) => `{"clientSecret":"${s} ${s}"}`,
    (s) => `psk='${s}'`,
    (s) => `root:$6$salt$${s}:19000`,
    (s) => `cookie: ${s}`,
    (s) => `{"key":"${s}"}`,
  ]
  for (const shape of shapes)
    for (let i = 0; i < 20; i++) {
      const secret = word(random, letters, 24)
      const cleaned = clean(shape(secret))
      t.notOk(cleaned.includes(secret), `${shape('SECRET')} became ${cleaned}`)
    }
})

t.test('a private key goes whole: as it is, in JSON, and cut off; the lines after it stay', async (t) => {
  const clean = makeRedactor()
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const body = pem.split('\n')[1] as string
  const texts = [pem, JSON.stringify({ msg: pem }), JSON.stringify(JSON.stringify({ pem })), pem.slice(0, 90)]
  for (const text of texts) {
    const cleaned = clean(`{"a":1}\n${text}\n{"level":30,"msg":"goes on"}`)
    t.notOk(cleaned.includes(body.slice(0, 20)), cleaned)
    t.match(cleaned, /\{"a":1\}\n[\s\S]*"goes on"/)
  }
})

t.test('what tells of the box stays', async (t) => {
  const clean = makeRedactor()
  for (const line of [
    '{"level":30,"time":"2026-11-22T00:00:00.000Z","part":"link","msg":"connected"}',
    '{"request":"0199d9e2-7f1a-7c3e-8f0a-0123456789ab","op":"scan","msg":"request"}',
    'SHA-256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 of 198.18.1.2:22',
    'https://controller.example:8884/v1/renew took 12 ms',
    'a password was wrong',
  ])
    t.equal(clean(line), line)
})
