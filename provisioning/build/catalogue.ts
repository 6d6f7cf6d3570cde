import { type Architecture, ownArchitecture } from '../deb/architectures.ts'

/** What a Dockerfile may find in its build context besides its own folder. */
export type Extra = 'node' | 'agent-bundle' | 'controller-bundle'

/**
 * One image. Its folder is images/<name>/:
 * - `packages.txt`: Debian packages of its root file system, one a line. With a Dockerfile beside it, that root is
 *   `marshlight/<name>-root:dev`; alone, it is the image.
 * - `requirements.txt`: Python packages, fetched into `wheels/` of the build context.
 * - `Dockerfile`: built without network; `TAG` is the one of the images that it stands on.
 */
export type ImagePlan = {
  name: string
  /** Images whose content this one stands on; they are built first. */
  on: readonly string[]
  extras?: readonly Extra[]
  /** Folders of images/ that are no images but are laid into several, each found in the build context by its name. */
  parts?: readonly string[]
  /** Runs in a decoy: saved to a file for the engines of the appliances. */
  decoy?: boolean
  /** Of this architecture wherever it is built: what is pretended does not change with the box that pretends it. */
  always?: Architecture
}

export const catalogue: readonly ImagePlan[] = [
  { name: 'base', on: [] },
  { name: 'python', on: [] },
  { name: 'debian-server', on: [], always: 'amd64' },
  { name: 'pod', on: ['base'], parts: ['common'], decoy: true },
  { name: 'cowrie', on: ['base', 'python', 'debian-server'], parts: ['common'], decoy: true },
  { name: 'services', on: ['base', 'python'], parts: ['common'], decoy: true },
  { name: 'web', on: ['base', 'python', 'services'], decoy: true },
  { name: 'node', on: ['base'], extras: ['node'] },
  { name: 'controller', on: ['node'], extras: ['controller-bundle'] },
  { name: 'agent', on: ['node'], extras: ['agent-bundle'] },
  { name: 'lab-host', on: [] },
  { name: 'lab-attacker', on: [] },
]

/**
 * The name a Dockerfile, a persona or the lab calls an image by; it always points at the last one built. Those for other
 * machines lie in the same engine under tags of their own, which `archive.ts` gives the usual names.
 */
export const tagOf = (name: string, tag = 'dev') => `marshlight/${name}:${tag}`

/** The tag of images for `architecture` in the engine of this machine. */
export const tagFor = (architecture: string, own = ownArchitecture()) =>
  architecture === own ? 'dev' : `dev-${architecture}`
