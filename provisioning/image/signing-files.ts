import { createPrivateKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { MarshlightError } from '../../shared/errors.ts'
import { writeFileAtomic } from '../../shared/files.ts'
import { makeKeys, signFile } from '../../shared/minisign.ts'
import { verifySignedFile } from '../../shared/signed-file.ts'
import { unreadable } from '../../shared/system-errors.ts'

export const publicFileOf = (keyFile: string): string => `${keyFile}.pub`
export const signatureFileOf = (file: string): string => `${file}.minisig`

/** A signature is a few lines; what is longer is none, and is not read into memory. */
const longestText = 4096

/** A new key for signing, and beside it what verifies. Never over one that is there: what it signed could not be renewed. */
export async function makeKeyFiles(keyFile: string): Promise<{ key: string; publicKey: string; id: string }> {
  for (const file of [keyFile, publicFileOf(keyFile)])
    if (existsSync(file))
      throw new MarshlightError('CONFLICT', { what: `${file} is there already`, next: 'Name another with --out.' })
  const { privatePem, publicText, id } = makeKeys()
  await writeFileAtomic(keyFile, privatePem, 0o600)
  await writeFileAtomic(publicFileOf(keyFile), publicText, 0o644)
  return { key: keyFile, publicKey: publicFileOf(keyFile), id }
}

/** Signs `file` beside itself. The signed words name the file, so that one signed image cannot stand in for another. */
export async function signBeside(file: string, keyFile: string): Promise<string> {
  const pem = await textOf(keyFile)
  try {
    createPrivateKey(pem)
  } catch (error) {
    throw new MarshlightError(
      'KEY_DAMAGED',
      { path: keyFile, why: 'it is no private key as `marshlight image key` makes it' },
      { cause: error },
    )
  }
  const signature = signatureFileOf(file)
  await writeFileAtomic(signature, await signFile(file, pem, `file:${basename(file)}`), 0o644)
  return signature
}

/** Resolves where `file` is what the key's owner signed. Throws IMAGE_UNSIGNED or IMAGE_ALTERED. */
export async function verifyBeside(
  file: string,
  o: { publicKey: string; signature?: string },
): Promise<{ file: string; key: string; comment: string }> {
  await access(file).catch((error) => {
    throw unreadable(error, file, 'marshlight image deb')
  })
  const beside = o.signature ?? signatureFileOf(file)
  const signature = existsSync(beside) ? await textOf(beside) : undefined
  const publicKey = { path: o.publicKey, text: await textOf(o.publicKey) }
  return { file, ...(await verifySignedFile(file, publicKey, { path: beside, text: signature })) }
}

async function textOf(file: string): Promise<string> {
  try {
    const { buffer, bytesRead } = await head(file, longestText)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    throw unreadable(error, file, 'marshlight image key')
  }
}

async function head(file: string, bytes: number) {
  const opened = await open(file)
  try {
    return await opened.read(Buffer.alloc(bytes), 0, bytes, 0)
  } finally {
    await opened.close()
  }
}
