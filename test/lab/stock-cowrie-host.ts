import { execFileSync } from 'node:child_process'
import type { Segment } from './decoys-segment.ts'

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim()
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' })

/** Cowrie as its package brings it, with nothing of ours, on port 22. */
const start = [
  'import os, sys',
  "os.chdir('/work')",
  "for name in ('var/log/cowrie', 'var/lib/cowrie/tty', 'var/lib/cowrie/downloads', 'etc'): os.makedirs(name, exist_ok=True)",
  'from twisted.scripts.twistd import run',
  "sys.argv = ['twistd', '-n', '--pidfile=', 'cowrie']",
  'run()',
].join('\n')

/** Puts stock Cowrie on the segment as a host with this address and MAC. It goes with the test. */
export function plugStockCowrie(
  t: { teardown(work: () => unknown): void },
  segment: Segment,
  { address, mac }: { address: string; mac: string },
): void {
  const name = `${segment.bridge}-stock`
  const settings = ['-e', 'COWRIE_SSH_LISTEN_ENDPOINTS=tcp:22:interface=0.0.0.0', '-e', 'PYTHONPATH=/opt/decoy']
  const rights = [
    '--user',
    '2600:2600',
    '--tmpfs',
    '/work:uid=2600,gid=2600',
    '--sysctl',
    'net.ipv4.ip_unprivileged_port_start=0',
  ]
  t.teardown(() => docker('rm', '-f', name))
  docker(
    'run',
    '-d',
    '--name',
    name,
    '--network',
    'none',
    ...rights,
    ...settings,
    '--entrypoint',
    'python3',
    'marshlight/cowrie:dev',
    '-P',
    '-c',
    start,
  )
  ip('netns', 'attach', name, docker('inspect', '-f', '{{.State.Pid}}', name))
  t.teardown(() => ip('netns', 'del', name))
  ip('-n', segment.bridge, 'link', 'add', 'stock', 'type', 'veth', 'peer', 'name', 'seg0', 'netns', name)
  ip('-n', segment.bridge, 'link', 'set', 'stock', 'master', 'br0', 'up')
  ip('-n', name, 'link', 'set', 'seg0', 'address', mac)
  ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'seg0')
  ip('-n', name, 'link', 'set', 'seg0', 'up')
}
