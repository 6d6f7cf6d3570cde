import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { MarshlightError } from '../../shared/errors.ts'
import { type Tpm, tpmHere, tpmSoon } from './tpm.ts'

/**
 * How a key lies on disk. Where the box has a TPM: encrypted by a secret that only this TPM gives out, so that a card that was
 * copied or taken is of no use in another box; the plain key is in memory alone. Where it has none: as PEM.
 *
 *   new key -> secret -> TPM: sealed blob ─┐
 *                └─> AES-256-GCM of the PEM ┴─> one file, so that there is a whole one or none
 */
const base64 = z.base64().max(4096)
const file = z.strictObject({
  v: z.literal(1),
  heldBy: z.literal('tpm2'),
  public: base64,
  private: base64,
  iv: base64,
  tag: base64,
  key: base64,
})
const cipher = 'aes-256-gcm'

export const isSealed = (text: string): boolean => text.trimStart().startsWith('{')

/** Hears why a key that a TPM should hold lies in a file. */
export type OnUnsealed = (error: unknown) => void

/** What is to be written for `pem`. A TPM that fails keeps no box from enrolling: then as without one, and `onFailure` hears why. */
export async function keyText(
  pem: string,
  onFailure: OnUnsealed = () => undefined,
  tpm: Tpm | undefined = tpmHere(),
): Promise<string> {
  if (!tpm) return pem
  const secret = randomBytes(32)
  try {
    const sealed = await tpm.seal(secret)
    // A TPM that seals what it does not give out again shows it now, not after the key is needed.
    if (!(await tpm.unseal(sealed)).equals(secret)) throw new MarshlightError('TPM_FAILED', mixedUp)
    const iv = randomBytes(12)
    const encrypt = createCipheriv(cipher, secret, iv)
    const key = Buffer.concat([encrypt.update(pem, 'utf8'), encrypt.final()])
    const parts = { iv, tag: encrypt.getAuthTag(), key }
    const texts = Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, bytes.toString('base64')]))
    return `${JSON.stringify({ v: 1, heldBy: 'tpm2', ...sealed, ...texts }, null, 2)}\n`
  } catch (error) {
    onFailure(error)
    return pem
  } finally {
    secret.fill(0)
  }
}

const mixedUp = { what: 'sealing', why: 'it gave out another secret than it took' }

/**
 * The key that a file holds. Throws KEY_SEALED_ELSEWHERE where it was sealed by another TPM, or by this one before it was
 * cleared; TPM_FAILED where the TPM does not answer, which may pass.
 */
export async function keyIn(text: string, find: () => Promise<Tpm | undefined> = tpmSoon): Promise<string> {
  if (!isSealed(text)) return text
  const read = file.safeParse(json(text))
  if (!read.success) throw new MarshlightError('KEY_SEALED_ELSEWHERE', { why: 'its file is damaged' })
  const tpm = await find()
  if (!tpm) throw new MarshlightError('KEY_SEALED_ELSEWHERE', { why: 'this box shows no TPM' })
  const { public: open, private: closed, iv, tag, key } = read.data
  const secret = await tpm.unseal({ public: open, private: closed })
  try {
    const decrypt = createDecipheriv(cipher, secret, Buffer.from(iv, 'base64'), { authTagLength: 16 }).setAuthTag(
      Buffer.from(tag, 'base64'),
    )
    return Buffer.concat([decrypt.update(Buffer.from(key, 'base64')), decrypt.final()]).toString('utf8')
  } catch (error) {
    throw new MarshlightError('KEY_SEALED_ELSEWHERE', { why: 'its file is damaged' }, { cause: error })
  } finally {
    secret.fill(0)
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
