import type { Segment } from '../lab/decoys-segment.ts'
import { asInstalled, plugContainer } from '../lab/segment-container.ts'
import type { CleanUp } from './clean-up.ts'

const image = process.env.LAB_HOST_IMAGE ?? 'marshlight/lab-host:dev'

/**
 * Real hosts on the segment from .20 on, each a container without any other network; `services` as the image takes them,
 * one entry a host. All go with the benchmark.
 */
export async function plugHosts(cleanUp: CleanUp, segment: Segment, services: readonly string[]): Promise<void> {
  for (const [i, wanted] of services.entries())
    plugContainer({ teardown: cleanUp.add }, segment, { host: 20 + i, image, services: wanted, options: asInstalled })
}
