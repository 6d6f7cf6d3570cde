import t from 'tap'
import { makeKeys, parsePublicKey, parseSignature, signText, verifyText } from '../../../shared/minisign.ts'

/** Made by minisign 0.11: `minisign -G -W`, `minisign -S -t file:agent.deb`. */
const ofMinisign = {
  text: 'content of a package\n',
  signature: `untrusted comment: signature from minisign secret key
RUQQ6LtddLaWhgJpjADwSw2npsp/EAXjM+DrtRVFOxv94seol7ZSMzKB+SVxagpw3qjoC38iRSN7GT2zmAsay3IjNOWB+F5ZHAU=
trusted comment: file:agent.deb
ZW7PM7n/LFzAMNfhXL1EnEpF9HkgMtQs5vRa+wjcCZUuvEBuyKnveCeDUubVzvaVuilT2y1VX5skQOSAeD5rDA==
`,
  key: 'RWQQ6LtddLaWhs+fqcwXUs9ifwzxAY2I6heYdP5ROjg+fTnlO17C6EhE',
}

function verdict(text: string, signature: string, key: string) {
  const [parsed, publicKey] = [parseSignature(signature), parsePublicKey(key)]
  if (parsed === undefined || publicKey === undefined) return undefined
  return verifyText(text, parsed, publicKey)
}

t.test('what minisign signed is read', async (t) => {
  const { text, signature, key } = ofMinisign
  t.same(verdict(text, signature, key), { ok: true, comment: 'file:agent.deb', id: '8696B6745DBBE810' })
  t.match(verdict('content of a Package\n', signature, key), { ok: false, why: /not what was signed/ })
  t.match(verdict(text, signature.replace('file:agent', 'file:Agent'), key), { ok: false, why: /altered/ })
})

t.test('what we signed is told from what another did', async (t) => {
  const [own, other] = [makeKeys(), makeKeys()]
  const signature = signText('{"kind":"release"}', own.privatePem, 'release:1.0.0')
  t.match(verdict('{"kind":"release"}', signature, own.publicText), { ok: true, comment: 'release:1.0.0', id: own.id })
  t.match(verdict('{"kind":"release"}', signature, other.publicText), { ok: false, why: /signed by key/ })
  t.equal(verdict('{"kind":"release"}', signature.slice(0, 100), own.publicText), undefined, 'a part of one is none')
})
