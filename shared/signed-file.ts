import { basename } from 'node:path'
import { MarshlightError } from './errors.ts'
import { parsePublicKey, parseSignature, verifyFile } from './minisign.ts'

type Text = { path: string; text: string }

/**
 * Whether the owner of a key signed this file, under this name: an older one cannot be passed off as a newer. Gives the
 * key's id and the signed words. Throws KEY_DAMAGED, IMAGE_UNSIGNED or IMAGE_ALTERED.
 */
export async function verifySignedFile(
  file: string,
  publicKey: Text,
  signature: { path: string; text: string | undefined },
): Promise<{ key: string; comment: string }> {
  const key = parsePublicKey(publicKey.text)
  if (!key) throw new MarshlightError('KEY_DAMAGED', { path: publicKey.path, why: 'it is no public key of minisign' })
  const { path, text } = signature
  if (text === undefined) throw new MarshlightError('IMAGE_UNSIGNED', { file, why: `there is no ${path}` })
  const parsed = parseSignature(text)
  if (!parsed) throw new MarshlightError('IMAGE_UNSIGNED', { file, why: `${path} is no signature of minisign` })
  const verdict = await verifyFile(file, parsed, key)
  if (!verdict.ok) throw new MarshlightError('IMAGE_ALTERED', { file, why: verdict.why })
  const named = /^file:(.*)$/.exec(verdict.comment)?.[1]
  if (named !== undefined && named !== basename(file))
    throw new MarshlightError('IMAGE_ALTERED', { file, why: `what was signed is called ${named}` })
  return { key: verdict.id, comment: verdict.comment }
}
