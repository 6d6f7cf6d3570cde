import { readFile } from 'node:fs/promises'
import { MarshlightError } from '../../../shared/errors.ts'
import { docker, run, wordsIn } from './docker.ts'
import { type LabLayout, layoutAt, places, type SegmentName } from './layout.ts'

export const labLabel = 'marshlight.lab'
export const networkName = (lab: string, segment: SegmentName) => `${lab}-${segment}`

/** A place whose addresses no network of this engine uses. */
export async function freePlace(): Promise<number> {
  const ids = wordsIn(await docker('network', 'ls', '-q'))
  const format = '{{range .IPAM.Config}}{{.Subnet}} {{end}}'
  // It tells of the others where one went after it was listed, and fails.
  const { stdout } = await run('docker', ['network', 'inspect', '-f', format, ...ids])
  const taken = new Set(wordsIn(stdout))
  for (let place = 0; place < places; place++) {
    if (layoutAt(place).segments.every(({ cidr }) => !taken.has(cidr))) return place
  }
  throw new MarshlightError('NO_FREE_ADDRESS', { cidr: '198.18.0.0/15', why: 'too many labs run at the same time' })
}

/**
 * A bridge for each segment, with no address of this machine on it and no route out. The engine would keep .1 for itself,
 * so it is told that its own (never used) address is .254.
 */
export async function createNetworks(lab: string, layout: LabLayout): Promise<void> {
  for (const { name, cidr } of layout.segments) {
    const id = await docker(
      'network',
      'create',
      '--internal',
      '--driver=bridge',
      `--subnet=${cidr}`,
      `--gateway=${cidr.replace('.0/24', '.254')}`,
      '--opt=com.docker.network.bridge.inhibit_ipv4=true',
      `--label=${labLabel}=${lab}`,
      networkName(lab, name),
    )
    await letBridgeThrough(lab, `br-${id.slice(0, 12)}`)
  }
}

/**
 * With br_netfilter loaded, the engine's rules for internal networks also see frames that only cross a bridge, and drop
 * those on their way to the lab's own gateway. The rule lets through what stays on this one bridge; nothing leaves by it.
 */
async function letBridgeThrough(lab: string, bridge: string): Promise<void> {
  const setting = await readFile('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').catch(() => '0')
  if (setting.trim() !== '1') return
  const rule = ['-i', bridge, '-o', bridge, '-m', 'comment', '--comment', `${labLabel}=${lab}`, '-j', 'ACCEPT']
  const { code, stderr } = await run('iptables', ['-w', '-I', 'DOCKER-USER', ...rule])
  if (code === 0) return
  throw new MarshlightError('COMMAND_FAILED', {
    command: 'iptables -I DOCKER-USER',
    why: stderr.trim(),
    next: 'Run as root with iptables installed, or unload br_netfilter.',
  })
}

/** Removes the rules and networks of a lab. */
export async function removeNetworks(lab: string): Promise<void> {
  const rules = await run('iptables', ['-w', '-S', 'DOCKER-USER']).catch(() => undefined)
  for (const line of (rules?.stdout ?? '').split('\n')) {
    const words = wordsIn(line.replaceAll('"', ''))
    if (words.includes(`${labLabel}=${lab}`)) await run('iptables', ['-w', '-D', ...words.slice(1)])
  }
  const networks = wordsIn(await docker('network', 'ls', '-q', '--filter', `label=${labLabel}=${lab}`))
  for (const network of networks) {
    const { code, stderr } = await run('docker', ['network', 'rm', network])
    if (code === 0 || /not found|No such network/i.test(stderr)) continue
    throw new MarshlightError('COMMAND_FAILED', {
      command: `docker network rm ${network}`,
      why: stderr.trim(),
      next: 'Remove what still stands on it, then run again.',
    })
  }
}
