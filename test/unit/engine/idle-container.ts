import type { ContainerSpec } from '../../../agent/engine/port.ts'

/** A container that may do nothing, and does nothing for a minute. */
export const idleContainer = (name: string, labels: Record<string, string>, image: string): ContainerSpec => ({
  name,
  image,
  labels,
  env: {},
  network: { kind: 'none' },
  mounts: [],
  tmpfs: {},
  sysctls: {},
  readOnlyRoot: true,
  capDrop: [],
  capAdd: [],
  memoryMb: 32,
  pids: 8,
  cpus: 0.1,
  command: ['sleep', '60'],
})
