import { execFileSync } from 'node:child_process'
import type { Segment } from './decoys-segment.ts'

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' }).trim()

export type Plugged = {
  /** Last number of its address; the container, its namespace and its port on the bridge are named by it. */
  host: number
  image?: string
  hostname?: string
  mac?: string
  /** Services of the image `lab-host`, separated by spaces. */
  services?: string
  /** Further options of `docker run`, and what the container runs if not what its image does. */
  options?: readonly string[]
  command?: readonly string[]
}

/**
 * Options for a host whose network is as it was installed: the lab's kernel may be tuned, and the receive buffer decides on the
 * window scale that a scan sees.
 */
export const asInstalled: readonly string[] = ['--sysctl', 'net.ipv4.tcp_rmem=4096 131072 6291456']

export const containerAt = (segment: Segment, host: number): string => `${segment.bridge}-${host}`

/** The lab's host of real servers, or another image, on the segment without any other network. It goes with the test. */
export function plugContainer(t: { teardown(work: () => unknown): void }, segment: Segment, given: Plugged): string {
  const { host, image = 'marshlight/lab-host:dev', hostname = `host-${host}`, mac, options = [], command = [] } = given
  const name = containerAt(segment, host)
  const address = segment.cidr.replace('0/24', String(host))
  const services = given.services === undefined ? [] : ['-e', `SERVICES=${given.services}`]
  t.teardown(() => run('docker', 'rm', '-f', '-v', name))
  const place = ['--name', name, '--hostname', hostname, '--network', 'none']
  run('docker', 'run', '-d', ...place, ...services, ...options, image, ...command)
  run('ip', 'netns', 'attach', name, run('docker', 'inspect', '-f', '{{.State.Pid}}', name))
  t.teardown(() => run('ip', 'netns', 'del', name))
  const port = `host${host}`
  run('ip', '-n', segment.bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  run('ip', '-n', segment.bridge, 'link', 'set', port, 'master', 'br0', 'up')
  if (mac !== undefined) run('ip', '-n', name, 'link', 'set', 'eth0', 'address', mac)
  run('ip', '-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
  run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
  return address
}
