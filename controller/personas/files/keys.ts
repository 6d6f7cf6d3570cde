import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { pick, type Random } from '../../../shared/random.ts'
import { hex, type Maker, type Sheet, someHost, write } from './context.ts'

/** Keys of people, authorised ones and known hosts: sound in form, belonging to nothing. */
export const keys: Maker = (sheet) => {
  const { input, random } = sheet
  for (const person of input.people) {
    const folder = `${person.home}/.ssh`
    const own = keyPair(random, `${person.name}@${input.hostname}`)
    write(sheet, `${folder}/id_ed25519`, person, 0o600, own.privateKey)
    write(sheet, `${folder}/id_ed25519.pub`, person, 0o644, own.publicKey)
    sameDate(sheet, `${folder}/id_ed25519`, `${folder}/id_ed25519.pub`)
    const others = 1 + Math.floor(random() * 2)
    const authorised = Array.from({ length: others }, () =>
      keyPair(random, `${person.name}@${pick(random, ['laptop', 'desktop', 'admin01', 'jump'])}`),
    )
    write(sheet, `${folder}/authorized_keys`, person, 0o600, authorised.map(({ publicKey }) => publicKey).join(''))
    const known = new Set(Array.from({ length: 2 }, () => someHost(sheet)))
    const lines = [...known].map((host) => `${host} ${keyPair(random, '').publicKey.trim()}\n`)
    write(sheet, `${folder}/known_hosts`, person, 0o600, lines.join(''))
  }
}

/** ssh-keygen writes both halves at once. */
function sameDate({ files }: Sheet, path: string, other: string): void {
  const [one, two] = [path, other].map((name) => files.find((file) => file.path === name))
  if (one && two) two.modifiedAt = one.modifiedAt
}

const string = (data: Buffer | string): Buffer => {
  const body = Buffer.from(data as string)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** An Ed25519 pair from the seed, in the forms of OpenSSH (PROTOCOL.key). */
export function keyPair(random: Random, comment: string): { privateKey: string; publicKey: string } {
  const secret = createHash('sha256').update(hex(random, 64)).digest()
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret])
  const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  const point = (spki.export({ format: 'der', type: 'spki' }) as Buffer).subarray(-32)
  const blob = Buffer.concat([string('ssh-ed25519'), string(point)])
  const check = secret.subarray(0, 4)
  const inner = Buffer.concat([
    ...[check, check, string('ssh-ed25519'), string(point), string(Buffer.concat([secret, point])), string(comment)],
  ])
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, i) => i + 1))
  const one = Buffer.alloc(4)
  one.writeUInt32BE(1)
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[string('none'), string('none'), string(''), one, string(blob), string(Buffer.concat([inner, padding]))],
  ])
  const lines = (whole.toString('base64').match(/.{1,70}/g) ?? []).join('\n')
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `ssh-ed25519 ${blob.toString('base64')}${comment === '' ? '' : ` ${comment}`}\n`,
  }
}
