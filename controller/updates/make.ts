import { constants } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { MarshlightError, wordsOf } from '../../shared/errors.ts'
import { readIfThere, sha256Of, syncFolder, writeFileAtomic } from '../../shared/files.ts'
import { type PublicKey, signText } from '../../shared/minisign.ts'
import { manifestFile, openManifest, parseManifest, signatureFile } from '../../shared/release.ts'
import type { ReleaseManifest, ReleasePart } from '../../shared/schemas/update.ts'

/** A file that becomes a part. */
export type Source = Pick<ReleasePart, 'component' | 'arch' | 'version'> & { path: string }
export type Making = Pick<ReleaseManifest, 'version' | 'sequence' | 'createdAt' | 'notes'> & {
  sources: readonly Source[]
  /** PKCS#8 PEM, Ed25519. */
  key: string
  out: string
}

/**
 * Makes a release's folder: files, manifest, signature. Needs no controller, and shall have none near: the key stays where
 * releases are made. The folder is there whole, or not at all. Throws CONFLICT, KEY_DAMAGED, RELEASE_DAMAGED, USAGE.
 */
export async function makeRelease(o: Making): Promise<ReleaseManifest> {
  const out = resolve(o.out)
  if ((await readdir(out).catch(() => [])).length > 0)
    throw new MarshlightError('CONFLICT', { what: `${out} is not empty`, next: 'Name another folder with --out.' })
  const beside = join(dirname(out), `.${basename(out)}.${process.pid}.tmp`)
  await mkdir(beside, { recursive: true })
  try {
    const parts: ReleasePart[] = []
    for (const source of o.sources) parts.push(await take(source, beside))
    const { version, sequence, createdAt, notes } = o
    const manifest: ReleaseManifest = { kind: 'release', version, sequence, createdAt, notes, parts }
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    parseManifest(text)
    await writeFileAtomic(join(beside, manifestFile), text, 0o644)
    await writeFileAtomic(join(beside, signatureFile), sign(text, o), 0o644)
    await rm(out, { recursive: true, force: true })
    await rename(beside, out)
    await syncFolder(dirname(out))
    return manifest
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    throw error
  }
}

function sign(text: string, { key, version, sequence }: Making): string {
  try {
    return signText(text, key, `release ${version}, sequence ${sequence}`)
  } catch (error) {
    throw new MarshlightError('KEY_DAMAGED', { path: 'the release key', why: wordsOf(error) })
  }
}

async function take({ path, ...what }: Source, folder: string): Promise<ReleasePart> {
  const file = basename(path)
  const to = join(folder, file)
  try {
    await copyFile(path, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw new MarshlightError('USAGE', { what: `two files are called ${file}`, command: 'marshlight updates make' })
    throw new MarshlightError('USAGE', {
      what: `${path} cannot be read: ${wordsOf(error)}`,
      command: 'marshlight updates make',
    })
  }
  const handle = await open(to, 'r+')
  await handle.sync().finally(() => handle.close())
  return { ...what, file, bytes: (await stat(to)).size, sha256: await sha256Of(to) }
}

export type Checked = { manifest: ReleaseManifest; manifestText: string; signature: string; key: string }

/** A release's folder, found whole and signed by one of `keys`. Throws RELEASE_UNSIGNED, RELEASE_DAMAGED, USAGE. */
export async function verifyRelease(
  folder: string,
  keys: readonly PublicKey[],
  onFile: (part: ReleasePart) => void = () => {},
): Promise<Checked> {
  const { manifestText, signature } = await readReleaseTexts(folder)
  const { manifest, key } = openManifest(manifestText, signature, keys)
  for (const part of manifest.parts) {
    onFile(part)
    const path = join(folder, part.file)
    await mustBeThere(path, part)
    if ((await sha256Of(path)) !== part.sha256)
      throw new MarshlightError('RELEASE_DAMAGED', {
        what: part.file,
        why: 'its SHA-256 is not the one that was signed',
      })
  }
  return { manifest, manifestText, signature, key }
}

/** Throws USAGE where the folder is none of a release. */
export async function readReleaseTexts(folder: string): Promise<{ manifestText: string; signature: string }> {
  const [manifestText, signature] = await Promise.all(
    [manifestFile, signatureFile].map((name) => readIfThere(join(folder, name))),
  )
  if (manifestText !== undefined && signature !== undefined) return { manifestText, signature }
  const missing = manifestText === undefined ? manifestFile : signatureFile
  throw new MarshlightError('USAGE', {
    what: `${folder} is no release: it has no ${missing}`,
    command: 'marshlight updates make',
  })
}

/** The file of a part, as long as it was signed. Throws RELEASE_DAMAGED. */
export async function mustBeThere(path: string, { file, bytes }: ReleasePart): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.size === bytes) return
  const why = found ? `it has ${found.size} bytes, ${bytes} were signed` : 'it is missing'
  throw new MarshlightError('RELEASE_DAMAGED', { what: file, why })
}

/** The private key in a file that its owner alone may read. Throws KEY_DAMAGED. */
export async function readPrivateKey(path: string): Promise<string> {
  const { mode } = await stat(path).catch((error) => {
    throw new MarshlightError('KEY_DAMAGED', { path, why: wordsOf(error) })
  })
  if (mode & 0o077)
    throw new MarshlightError('KEY_DAMAGED', { path, why: `others may read it; first \`chmod 600 ${path}\`` })
  return readFile(path, 'utf8')
}
