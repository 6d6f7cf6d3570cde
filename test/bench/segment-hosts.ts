import { execFileSync } from 'node:child_process'
import type { Segment } from '../lab/decoys-segment.ts'
import type { CleanUp } from './clean-up.ts'
import { ip } from './gateway.ts'

const image = process.env.LAB_HOST_IMAGE ?? 'marshlight/lab-host:dev'
const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim()

/**
 * Real hosts on the segment from .20 on, each a container without any other network; `services` as the image takes them,
 * one entry a host. All go with the benchmark.
 */
export async function plugHosts(cleanUp: CleanUp, segment: Segment, services: readonly string[]): Promise<void> {
  for (const [i, wanted] of services.entries()) {
    const name = `${segment.bridge}-host-${i}`
    const address = segment.address.replace(/\d+$/, `${20 + i}`)
    cleanUp.add(() => docker('rm', '-f', name))
    docker(
      'run',
      '-d',
      '--name',
      name,
      '--hostname',
      `host-${i}`,
      '--network',
      'none',
      '-e',
      `SERVICES=${wanted}`,
      image,
    )
    ip('netns', 'attach', name, docker('inspect', '-f', '{{.State.Pid}}', name))
    cleanUp.add(() => ip('netns', 'del', name))
    ip('-n', segment.bridge, 'link', 'add', `host${i}`, 'type', 'veth', 'peer', 'name', 'seg0', 'netns', name)
    ip('-n', segment.bridge, 'link', 'set', `host${i}`, 'master', 'br0', 'up')
    ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'seg0')
    ip('-n', name, 'link', 'set', 'seg0', 'up')
  }
}
