import type { Segment } from './decoys-segment.ts'
import { asInstalled, plugContainer } from './segment-container.ts'

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
  const settings = ['-e', 'COWRIE_SSH_LISTEN_ENDPOINTS=tcp:22:interface=0.0.0.0', '-e', 'PYTHONPATH=/opt/decoy']
  const place = ['--user', '2600:2600', '--tmpfs', '/work:uid=2600,gid=2600', '--entrypoint', 'python3']
  const sysctl = ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=0']
  plugContainer(t, segment, {
    host: Number(address.split('.').at(-1)),
    image: 'marshlight/cowrie:dev',
    mac,
    options: [...asInstalled, ...settings, ...place, ...sysctl],
    command: ['-P', '-c', start],
  })
}
