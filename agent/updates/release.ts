import { MarshlightError } from '../../shared/errors.ts'
import type { PublicKey } from '../../shared/minisign.ts'
import { openManifest } from '../../shared/release.ts'
import type { Architecture, Component, ReleaseManifest, ReleasePart, Running } from '../../shared/schemas/update.ts'

export type Offer = { manifest: string; signature: string; allowOlder: boolean }

/** What a box has to say about a release. */
export type Box = {
  keys: readonly PublicKey[]
  running: Running
  highest: number
  hasLauncher: boolean
  hasSlots: boolean
  keepsDecoys: boolean
}

export type Accepted = {
  manifest: ReleaseManifest
  /** What this box needs of it; empty where it runs all of it. */
  parts: ReleasePart[]
  /** Why the others are left out, in words. */
  leftOut: string[]
}

/** Whether this box takes the release, and which parts of it. Pure. Throws UPDATE_* or RELEASE_* with what speaks against it. */
export function judge(offer: Offer, box: Box): Accepted {
  const { manifest, own } = meantFor(offer, { ...box, arch: box.running.arch })
  const leftOut: string[] = []
  const parts = own.filter((part) => {
    const why = whyNot(part, box)
    if (why) leftOut.push(`${part.component} ${part.version}: ${why}`)
    return why === undefined
  })
  if (parts.length > 0 && !box.hasLauncher) throw new MarshlightError('UPDATE_NO_LAUNCHER')
  return { manifest, parts, leftOut }
}

/** What can be said of it without a look at what runs: who signed it, its age, and what of it is for such a box. Throws as `judge`. */
export function meantFor(
  offer: Offer,
  { keys, highest, arch }: Pick<Box, 'keys' | 'highest'> & { arch: Architecture },
): { manifest: ReleaseManifest; own: ReleasePart[] } {
  const manifest = signedManifest(offer, keys)
  const { version, sequence, parts } = manifest
  if (sequence < highest && !offer.allowOlder) throw new MarshlightError('UPDATE_OLDER', { version, sequence, highest })
  const own = parts.filter((part) => part.arch === arch)
  if (own.length > 0) return { manifest, own }
  const found = [...new Set(parts.map((part) => part.arch))].join(', ')
  throw new MarshlightError('UPDATE_WRONG_ARCH', { version, found, arch })
}

/** The manifest, once a release key of this box vouches for it. Throws UPDATE_KEY_MISSING, RELEASE_UNSIGNED, RELEASE_DAMAGED. */
export function signedManifest(
  offer: Pick<Offer, 'manifest' | 'signature'>,
  keys: readonly PublicKey[],
): ReleaseManifest {
  if (keys.length === 0) throw new MarshlightError('UPDATE_KEY_MISSING')
  const { manifest } = openManifest(offer.manifest, offer.signature, keys)
  // Its folder stands beside the launcher's files, whose names are words.
  const odd = manifest.parts.find(({ component, version }) => component === 'agent' && !/^\d/.test(version))
  if (odd)
    throw new MarshlightError('UPDATE_UNUSABLE', {
      what: `agent ${odd.version}`,
      why: 'its version begins with no digit',
    })
  return manifest
}

function whyNot({ component, version }: ReleasePart, box: Box): string | undefined {
  if (box.running[component] === version) return 'it runs here already'
  const cannot: Partial<Record<Component, string>> = {
    ...(!box.hasSlots && { system: 'this box has no two slots for a system' }),
    ...(!box.keepsDecoys && { decoys: 'this box keeps no decoys' }),
  }
  return cannot[component]
}
