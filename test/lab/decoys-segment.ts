import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Test } from 'tap'
import { nextNumber } from './segment-numbers.ts'

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })

export type Segment = {
  nic: string
  /** The namespace that holds the segment's bridge `br0`. */
  bridge: string
  /** The neighbour's namespace. */
  neighbour: string
  cidr: string
  address: string
  /** Runs a command on the neighbour, a host of its own in the segment. */
  onNeighbour(command: string, ...args: string[]): string
  neighbourMac: string
  /** The neighbour's network namespace. */
  namespace: string
  claim(ip: string): void
}

/**
 * A segment of its own: a bridge in a namespace, a card of the "appliance" in the root namespace, and a neighbour at .9.
 * There is no route out. All of it goes with the test; what a test that was killed left at this address range goes first,
 * since the engine gives one range to one network only. `third`: the N of 198.18.N.0/24, for what is no test of the lab.
 */
export function makeSegment(t: Pick<Test, 'teardown'>, third = nextNumber()): Segment {
  const tag = `${process.pid.toString(36)}-${randomBytes(2).toString('hex')}`
  const [bridge, host, nic] = [`decoys-br-${tag}`, `decoys-ho-${tag}`, `dcy${tag}`]
  const cidr = `198.18.${third}.0/24`
  clearLeft(cidr)
  t.teardown(() => {
    for (const name of [bridge, host]) run('ip', 'netns', 'del', name)
  })
  run('ip', 'netns', 'add', bridge)
  run('ip', 'netns', 'add', host)
  run('ip', '-n', bridge, 'link', 'add', 'br0', 'type', 'bridge')
  run('ip', '-n', bridge, 'link', 'set', 'br0', 'up')
  run('ip', 'link', 'add', nic, 'type', 'veth', 'peer', 'name', 'p0', 'netns', bridge)
  run('ip', 'link', 'add', 'h0', 'netns', host, 'type', 'veth', 'peer', 'name', 'p1', 'netns', bridge)
  for (const port of ['p0', 'p1']) run('ip', '-n', bridge, 'link', 'set', port, 'master', 'br0', 'up')
  run('ip', 'addr', 'add', `198.18.${third}.2/24`, 'dev', nic)
  run('ip', 'link', 'set', nic, 'up')
  run('ip', '-n', host, 'addr', 'add', `198.18.${third}.9/24`, 'dev', 'h0')
  run('ip', '-n', host, 'link', 'set', 'h0', 'up')
  const onNeighbour = (command: string, ...args: string[]) => run('ip', 'netns', 'exec', host, command, ...args)
  return {
    nic,
    bridge,
    neighbour: host,
    cidr,
    address: `198.18.${third}.2`,
    onNeighbour,
    namespace: host,
    neighbourMac: /link\/ether (\S+)/.exec(onNeighbour('ip', 'link', 'show', 'h0'))?.[1] ?? '',
    claim: (ip) => {
      onNeighbour('ip', 'addr', 'add', `${ip}/24`, 'dev', 'h0')
      // What a machine does that comes up with a fixed address. It has no answer to wait for.
      onNeighbour('arping', '-q', '-U', '-c', '1', '-I', 'h0', ip)
    },
  }
}

const lines = (command: string, ...args: string[]) =>
  run(command, ...args)
    .split(/\s+/)
    .filter(Boolean)

/** Takes away macvlan networks of this range on links of `makeSegment`, their containers, those links and their namespaces. */
function clearLeft(cidr: string): void {
  const format = '{{range .IPAM.Config}}{{.Subnet}}{{end}} {{index .Options "parent"}}'
  for (const network of lines('docker', 'network', 'ls', '--format', '{{.Name}}', '--filter', 'driver=macvlan')) {
    // Networks of tests that run beside this one may go after they were listed.
    const told = spawnSync('docker', ['network', 'inspect', '-f', format, network], { encoding: 'utf8' }).stdout
    const [subnet, parent = ''] = told.trim().split(' ')
    if (subnet !== cidr || !parent.startsWith('dcy')) continue
    mustHaveEnded(parent)
    const pods = lines('docker', 'ps', '-aq', '--filter', `network=${network}`)
    // A pod's further containers share its network; they are known by the agent's label.
    const agent = run('docker', 'network', 'inspect', '-f', '{{index .Labels "marshlight.agent"}}', network).trim()
    const owned = agent ? lines('docker', 'ps', '-aq', '--filter', `label=marshlight.agent=${agent}`) : []
    const containers = [...new Set([...pods, ...owned])]
    if (containers.length > 0) run('docker', 'rm', '-f', '-v', ...containers)
    run('docker', 'network', 'rm', network)
  }
  const cards = JSON.parse(run('ip', '-j', 'addr', 'show', 'to', cidr)) as { ifname?: string }[]
  for (const { ifname = '' } of cards.filter(({ ifname }) => ifname?.startsWith('dcy'))) {
    mustHaveEnded(ifname)
    // Before its namespace: the kernel takes a namespace's links away later, and one by one.
    run('ip', 'link', 'del', ifname)
    const tag = ifname.slice('dcy'.length)
    const spaces = new Set(lines('ip', 'netns', 'list'))
    for (const name of [`decoys-br-${tag}`, `decoys-ho-${tag}`]) if (spaces.has(name)) run('ip', 'netns', 'del', name)
  }
}

function mustHaveEnded(nic: string): void {
  const pid = Number.parseInt(nic.slice('dcy'.length), 36)
  if (existsSync(`/proc/${pid}`)) throw new Error(`${nic} is a segment of process ${pid}, which runs: wait for its end`)
}
