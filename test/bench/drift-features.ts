import { numberOf } from '../../agent/capture/decode.ts'
import { makeWindows } from '../../agent/capture/windows.ts'
import { seededRandom } from '../../shared/random.ts'
import { featureCost } from './drift-capture.ts'
import { makeMimicrySegment, server } from './mimicry-segment.ts'
import type { Bench } from './row.ts'

const seconds = 12
const services = new Map([
  [22, 'ssh'],
  [53, 'dns'],
  [80, 'http'],
  [443, 'https'],
])

/**
 * What the features of a decoy cost in the agent, by packets of real conversations: OpenSSH, curl over HTTP and TLS, lookups,
 * with their handshakes and fingerprints. Whole conversations, again and again; the first round warms up.
 */
export const driftFeaturesBench: Bench = {
  names: ['features.conversations_cpu_ms_per_1000_packets'],
  async run(progress) {
    const segment = await makeMimicrySegment()
    try {
      await segment.open()
      const frames = await segment.frames(seconds)
      const windows = makeWindows({
        ...{ decoy: server, address: numberOf(server), ports: services, random: seededRandom('features') },
        ...{ pseudonym: String, from: Date.now(), drift: 'none' },
      })
      const value = featureCost(windows, frames)
      progress(`${frames.length} packets, windows of ${windows.take(Date.now(), 0, true).length} subjects`)
      return [
        {
          ...{ name: 'features.conversations_cpu_ms_per_1000_packets', value, unit: 'ms' },
          ...{ better: 'lower', target: 20, reference: null },
        },
      ]
    } finally {
      await segment.close()
    }
  },
}
