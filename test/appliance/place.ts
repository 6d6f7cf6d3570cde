import { execFile, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ApiClient, makeClient } from '../../controller/cli/client.ts'
import { type Ends, makeSegment, printed, run, spawnIn } from '../lab/namespace-segment.ts'

const exec = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const boxMac = '1c:69:7a:0b:5e:a1'

export type Place = {
  plug: { space: string; tap: string; mac: string }
  /** Begins to give out addresses, where nobody did. */
  giveOut(): Promise<void>
  /** The API of the controller beside the box. */
  api: ApiClient
  /** What `marshlight` prints there, as its administrator. */
  marshlight(...words: string[]): Promise<string>
  /** The text of an enrolment file for one box. */
  invitation(name: string, more?: object): Promise<string>
  /** What a TCP port shows a neighbour in the segment; undefined where nothing answers. */
  neighbourReads(ip: string, port: number): Promise<string | undefined>
  /** Of the ports that are most in use, those that a neighbour finds open at the box itself. */
  neighbourScans(): Promise<number[]>
  /** What the box itself says to a command, by SSH with the key of `sshKey` from the neighbour. */
  onBox(...words: string[]): Promise<string>
  copyToBox(file: string, to: string): Promise<void>
  /** Public key for the enrolment file. */
  sshKey: string
}

export type PlaceOptions = {
  folder: string
  decoys: number
  /** What its names begin with, and the first three numbers of its network: two places stand side by side. */
  label?: string
  network?: string
  /** Nobody gives out addresses until `giveOut`. */
  withoutDhcp?: boolean
}

/**
 * A segment of namespaces without a way out: a router that gives out addresses, two hosts with real services, a neighbour
 * who looks, a controller of its own, and a free port for the box.
 */
export async function makePlace(ends: Ends, o: PlaceOptions): Promise<Place> {
  const { folder, decoys, label = 'appl', network: prefix = '198.18.245' } = o
  const centreAddress = `${prefix}.5`
  const boxAddress = `${prefix}.100`
  const segment = await makeSegment(ends, label)
  const router = await segment.host('router', `${prefix}.1/24`)
  const centre = await segment.host('centre', `${centreAddress}/24`)
  const neighbour = await segment.host('neighbour', `${prefix}.9/24`)
  for (const [name, last, mac] of [
    ['files', 21, '18:66:da:4e:02:1b'],
    ['intranet', 22, '18:66:da:4e:07:c4'],
  ] as const)
    await segment.container(
      name,
      `${prefix}.${last}/24`,
      mac,
      'marshlight/lab-host:dev',
      'SERVICES="ssh http" exec entrypoint.sh',
    )
  if (!o.withoutDhcp) await giveOut(router, prefix)
  const tap = 'box0'
  await run('ip', 'netns', 'exec', segment.bridge, 'ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap')
  await run('ip', '-n', segment.bridge, 'link', 'set', tap, 'master', 'br0', 'up')

  const data = join(folder, 'controller')
  const marshlight = join(root, 'bin/marshlight')
  await exec(marshlight, ['init', '--data', data, '--host', centreAddress, '--listen', centreAddress])
  const config = join(data, 'config.json')
  const settings = {
    decoys: { perSegment: decoys, maxPerSegment: Math.max(8, decoys), audit: { enabled: false, limit: 0 } },
  }
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), ...settings }))
  const serving = spawnIn(centre, marshlight, '--data', data, 'serve', '--log', 'warn')
  await printed(serving, /./)
  const api = makeClient(() => ({ socket: join(data, 'api.sock') }))

  const key = join(folder, 'ssh-key')
  await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key)
  const sshKey = (await readFile(`${key}.pub`, 'utf8')).trim()
  const sshOptions = ['-i', key, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '-o', 'LogLevel=ERROR']
  sshOptions.push('-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null')

  return {
    giveOut: async () => void (await giveOut(router, prefix)),
    plug: { space: segment.bridge, tap, mac: boxMac },
    sshKey,
    async copyToBox(file, to) {
      const words = ['netns', 'exec', neighbour, 'scp', '-q', ...sshOptions, file, `root@${boxAddress}:${to}`]
      await exec('ip', words, { timeout: 900_000 })
    },
    onBox: (...words) =>
      exec('ip', ['netns', 'exec', neighbour, 'ssh', ...sshOptions, `root@${boxAddress}`, ...words], {
        timeout: 900_000,
      }).then(({ stdout }) => stdout),
    async neighbourScans() {
      const scan = ['nmap', '-n', '-Pn', '-F', '-T4', '-oG', '-', boxAddress]
      const { stdout } = await exec('ip', ['netns', 'exec', neighbour, ...scan], { timeout: 300_000 })
      return [...stdout.matchAll(/(\d+)\/open\//g)].map(([, port]) => Number(port))
    },
    api,
    marshlight: (...words) =>
      exec(marshlight, ['--data', data, ...words], { timeout: 300_000 }).then(({ stdout }) => stdout),
    async invitation(name, more = {}) {
      const asked = { site: 'hq', segment: 'office', name }
      const { items } = await api.post<{ items: { token: string }[] }>('/v1/agents/invite', asked)
      const file = {
        marshlight: 1,
        claim: items[0]?.token,
        controller: `${centreAddress}:8884`,
        site: 'hq',
        segment: 'office',
      }
      return JSON.stringify({ ...file, ...more }, undefined, 2)
    },
    neighbourReads: (ip, port) =>
      new Promise((resolve) => {
        const script = `exec 3<>/dev/tcp/${ip}/${port} && { [ ${port} = 80 ] && printf 'HEAD / HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3; }`
        const child = spawn('ip', ['netns', 'exec', neighbour, 'timeout', '5', 'bash', '-c', script], {
          stdio: ['ignore', 'pipe', 'ignore'],
        })
        let said = ''
        child.stdout.setEncoding('latin1').on('data', (text: string) => {
          said += text
        })
        child.on('close', () => resolve(said.trim() || undefined))
      }),
  }
}

const giveOut = (space: string, prefix: string) =>
  printed(
    spawnIn(
      space,
      'dnsmasq',
      ...['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root', '--log-facility=-'],
      ...['--port=0', '--no-ping', '--leasefile-ro', `--dhcp-range=${prefix}.100,${prefix}.120,255.255.255.0,1h`],
      `--dhcp-option=3,${prefix}.1`,
      `--dhcp-host=${boxMac},${prefix}.100`,
    ),
    /started/,
  )
