import type Docker from 'dockerode'
import type { HostConfig } from 'dockerode'
import { docker, run } from './docker.ts'
import type { LabLayout, LabMachine } from './layout.ts'
import { labLabel, networkName } from './networks.ts'
import { boundingSet, engineRights } from './privileges.ts'

export type MachineOptions = {
  engine: Docker
  lab: string
  layout: LabLayout
  /** run: agents enrol and work. engine: appliances only start their engine, the gateway only routes. */
  agents: 'run' | 'engine'
  /** Folder with the decoys' images. */
  imageArchives: string
  /** Settings laid over those of `marshlight init`, if any. */
  controllerConfig?: Record<string, unknown>
}

export const containerName = (lab: string, machine: string) => `${lab}-${machine}`

const addressOf = (layout: LabLayout, name: string) =>
  layout.machines.find((machine) => machine.name === name)?.ip ?? ''

const gatewayOf = (layout: LabLayout, { segment }: LabMachine) =>
  layout.segments.find(({ name }) => name === segment)?.gateway ?? ''

/** What the gateway's name server knows: every machine but what is secret, under its own host name. */
const nameRecords = ({ machines }: LabLayout) =>
  machines
    .filter(({ role }) => role === 'host' || role === 'gateway')
    .map(({ ip, hostname }) => `${ip} ${hostname}.lab.example`)
    .join('\n')

/** Creates and starts one machine. */
export async function startMachine(machine: LabMachine, options: MachineOptions): Promise<void> {
  const { lab, layout, engine } = options
  const segment = layout.segments.find(({ name }) => name === machine.segment)
  const { image, env = [], command, host } = kindOf(machine, options, engineRights(await boundingSet()))
  const name = containerName(lab, machine.name)
  // The engine takes a MAC at the top level up to API 1.43, for each network from 1.44 on.
  const perNetwork = Number((await engine.version()).ApiVersion.split('.')[1]) >= 44
  await engine.createContainer({
    name,
    Image: image,
    Hostname: machine.hostname,
    Labels: { [labLabel]: lab, 'marshlight.machine': machine.name },
    Env: machine.role === 'gateway' ? env : [`GATEWAY=${segment?.gateway}`, ...env],
    Cmd: command,
    ...(!perNetwork && { MacAddress: machine.mac }),
    NetworkingConfig: {
      EndpointsConfig: {
        [networkName(lab, machine.segment)]: {
          IPAMConfig: { IPv4Address: machine.ip },
          ...(perNetwork && { MacAddress: machine.mac }),
        },
      },
    },
    HostConfig: { ...host, NetworkMode: networkName(lab, machine.segment), Dns: ['127.0.0.1'] },
  })
  if (machine.role === 'gateway') {
    for (const other of layout.segments.filter((each) => each.name !== machine.segment)) {
      await docker('network', 'connect', `--ip=${other.gateway}`, networkName(lab, other.name), name)
    }
  }
  if (machine.role === 'controller' && options.controllerConfig) {
    await copyIn(name, '/run/marshlight/config.json', JSON.stringify(options.controllerConfig, null, 2))
  }
  await docker('start', name)
}

type Kind = { image: string; env?: string[]; command: string[]; host: HostConfig }

function kindOf(machine: LabMachine, { lab, layout, agents, imageArchives }: MachineOptions, rights: HostConfig): Kind {
  const controller = addressOf(layout, 'controller')
  const volume = (what: string, target: string) => `${containerName(lab, machine.name)}-${what}:${target}`
  switch (machine.role) {
    case 'host':
      return {
        image: 'marshlight/lab-host:dev',
        env: [
          `SERVICES=${machine.services.join(' ')}`,
          `USERS=${machine.users.map((user) => `${user.name}:${user.password}`).join(' ')}`,
        ],
        command: [],
        host: {
          CapAdd: ['NET_ADMIN'],
          Memory: 256 * 1024 * 1024,
          Sysctls: { 'net.ipv4.ip_default_ttl': String(machine.ttl) },
        },
      }
    case 'attacker':
    case 'payload-server':
      return {
        image: 'marshlight/lab-attacker:dev',
        command: [machine.role],
        host: { CapAdd: ['NET_ADMIN', 'NET_RAW'] },
      }
    case 'controller':
      return {
        image: 'marshlight/controller:dev',
        env: [`MARSHLIGHT_PUBLIC_HOST=${machine.ip}`],
        command: ['serve'],
        host: { CapAdd: ['NET_ADMIN'], Binds: [volume('data', '/var/lib/marshlight')] },
      }
    case 'gateway':
      return {
        image: 'marshlight/agent:dev',
        env: [`MARSHLIGHT_CONTROLLER=${controller}:8884`, `NAME_RECORDS=${nameRecords(layout)}`],
        command: agents === 'run' ? ['gateway'] : ['sleep', 'infinity'],
        host: {
          CapAdd: ['NET_ADMIN', 'NET_RAW'],
          Sysctls: { 'net.ipv4.ip_forward': '1' },
          Binds: [volume('state', '/var/lib/marshlight-agent')],
        },
      }
    case 'appliance':
      return {
        image: 'marshlight/agent:dev',
        // Not the engine's own resolver: it would answer with the names of containers.
        env: [`MARSHLIGHT_CONTROLLER=${controller}:8884`, `NAME_SERVER=${gatewayOf(layout, machine)}`],
        command: agents === 'run' ? ['appliance'] : ['engine'],
        host: {
          ...rights,
          Binds: [
            volume('engine', '/var/lib/docker'),
            volume('state', '/var/lib/marshlight-agent'),
            `${imageArchives}:/marshlight/images:ro`,
          ],
        },
      }
  }
}

/** Puts a file into a container, running or not. Its content never stands in a command line. */
export async function copyIn(container: string, path: string, content: string): Promise<void> {
  const archive = await tarOf(path.replace(/^\//, ''), content)
  const { code, stderr } = await run('docker', ['cp', '-', `${container}:/`], { stdin: archive })
  if (code !== 0) throw new Error(`docker cp to ${container}:${path}: ${stderr.trim()}`)
}

/** A tar archive of one file (POSIX ustar), with the folder it lies in. */
async function tarOf(path: string, content: string): Promise<Buffer> {
  const entry = (name: string, type: '0' | '5', body: Buffer) => {
    const head = Buffer.alloc(512)
    head.write(name, 0, 100)
    head.write(type === '5' ? '0000755' : '0000600', 100)
    head.write('0000000', 108)
    head.write('0000000', 116)
    head.write(body.length.toString(8).padStart(11, '0'), 124)
    head.write('00000000000', 136)
    head.write('        ', 148)
    head.write(type, 156)
    head.write('ustar\0', 257, 'latin1')
    head.write('00', 263)
    const sum = head.reduce((total, byte) => total + byte, 0)
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return [head, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  }
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  return Buffer.concat([
    ...(folder === '' ? [] : entry(folder, '5', Buffer.alloc(0))),
    ...entry(path, '0', Buffer.from(content)),
    Buffer.alloc(1024),
  ])
}
