import { MarshlightError } from './errors.ts'
import { type PublicKey, parseSignature, verifyText } from './minisign.ts'
import { type ReleaseManifest, type ReleasePart, type Running, releaseManifest } from './schemas/update.ts'

export const manifestFile = 'manifest.json'
export const signatureFile = 'manifest.json.minisig'
/** Where a box fetches a part from, on the enrolment server, by its client certificate. */
export const partPath = (version: string, file: string): string =>
  `/v1/releases/${encodeURIComponent(version)}/${encodeURIComponent(file)}`

/** The manifest in `text`. Throws RELEASE_DAMAGED; says nothing of who signed it. */
export function parseManifest(text: string): ReleaseManifest {
  const parsed = releaseManifest.safeParse(jsonOf(text))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw damaged(`${issue?.path.join('.') || 'the text'}: ${issue?.message}`)
  }
  const { parts } = parsed.data
  const twice = (what: string, keys: readonly string[]) => {
    const again = keys.find((key, i) => keys.indexOf(key) !== i)
    if (again !== undefined) throw damaged(`it names ${what} ${again} twice`)
  }
  twice(
    'the part',
    parts.map(({ component, arch }) => `${component} for ${arch}`),
  )
  twice('the file', [manifestFile, signatureFile, ...parts.map(({ file }) => file)])
  return parsed.data
}

/**
 * The manifest, once one of `keys` is found to have signed exactly this text. Throws RELEASE_UNSIGNED, RELEASE_DAMAGED.
 */
export function openManifest(
  text: string,
  signatureText: string,
  keys: readonly PublicKey[],
): { manifest: ReleaseManifest; key: string } {
  const signature = parseSignature(signatureText)
  if (!signature) throw unsigned('its signature is none of minisign’s')
  const key = keys.find(({ id }) => id === signature.id)
  if (!key) {
    const known = keys.length === 0 ? 'no key is known here' : `known here: ${keys.map(({ id }) => id).join(', ')}`
    throw unsigned(`it is signed by key ${signature.id}; ${known}`)
  }
  const verdict = verifyText(text, signature, key)
  if (!verdict.ok) throw unsigned(verdict.why)
  return { manifest: parseManifest(text), key: key.id }
}

/** Parts that a box which runs this lacks: of its architecture, of components that it has, in another version. */
export const partsFor = ({ parts }: Pick<ReleaseManifest, 'parts'>, running: Running): ReleasePart[] =>
  parts.filter(
    ({ component, arch, version }) =>
      arch === running.arch && running[component] !== undefined && running[component] !== version,
  )

const damaged = (why: string) => new MarshlightError('RELEASE_DAMAGED', { what: manifestFile, why })
const unsigned = (why: string) => new MarshlightError('RELEASE_UNSIGNED', { what: manifestFile, why })

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
