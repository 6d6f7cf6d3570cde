import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import algorithms from '../../controller/personas/data/algorithms.json' with { type: 'json' }
import { type Persona, persona } from '../../shared/schemas/persona.ts'
import { eventually } from '../lab/cowrie-pod.ts'
import { docker } from './docker.ts'
import { type RealHost, type RealPlace, refuseNames } from './real-host.ts'

const run = promisify(execFile)
const scriptOf = (name: string) => readFile(join(import.meta.dirname, name), 'utf8')

/**
 * A device whose every command is the real BusyBox: its root holds that, links to it and dropbear, and nothing else that
 * runs. It has no network until it joins one, no right beyond the engine's own, and is gone after the test.
 */
export async function startRealDevice({ container, hostname, password = 'Sommer2024' }: RealPlace): Promise<RealHost> {
  const image = `${container}:made`
  const remove = async () => {
    await docker('rm', '-f', '-v', container)
    await docker('rmi', '-f', image)
  }
  try {
    await makeImage(image, password)
    await docker(
      ...['run', '-d', '--name', container, '--hostname', hostname, '--network', 'none'],
      ...['--memory', '256m', '--pids-limit', '128', '--cpus', '1.5', '--ulimit', 'fsize=67108864'],
      ...[image, '/usr/sbin/dropbear', '-F', '-E', '-R', '-p', '22'],
    )
    const listens = async () => (/Not backgrounding/.test(await docker('logs', container)) ? true : undefined)
    await eventually(listens, 'dropbear of the real device listens', 30)
  } catch (error) {
    await remove().catch(() => undefined)
    throw error
  }
  return {
    container,
    user: 'root',
    password,
    describe: async () => {
      const told = await docker('exec', container, '/bin/sh', '-c', await scriptOf('describe-device.sh'))
      return personaOf(Object.fromEntries(told.split('\n').map(wordAndRest)), hostname, password)
    },
    join: async (network, address) => {
      await docker('network', 'disconnect', 'none', container)
      await docker('network', 'connect', '--ip', address, network, container)
      await refuseNames(container)
    },
    remove,
  }
}

/** An image of nothing but that root. */
async function makeImage(image: string, password: string): Promise<void> {
  const host = ['run', '--rm', '--network', 'none', '-e', 'PASSWORD', '--entrypoint', 'sh', 'marshlight/lab-host:dev']
  const made = run('docker', [...host, '-c', await scriptOf('device-root.sh')], {
    encoding: 'buffer',
    maxBuffer: 64 << 20,
    env: { ...process.env, PASSWORD: password },
  })
  const { stdout } = await made
  const imported = run('docker', ['import', '-', image])
  imported.child.stdin?.end(stdout)
  await imported
}

const wordAndRest = (line: string): [string, string] => {
  const at = line.indexOf(' ')
  return [line.slice(0, at), line.slice(at + 1).trim()]
}

function personaOf(found: Record<string, string>, hostname: string, password: string): Persona {
  const { banner = '', applets = '', first = '' } = found
  const version = /v([\d.]+)/.exec(banner)?.[1] ?? ''
  const account = (name: string, id: number, home: string, shell: string, passwords: string[]) => ({
    ...{ name, uid: id, gid: id, gecos: name, home, shell, passwords },
  })
  return persona.parse({
    ...{
      id: '01920000-0000-7000-8000-0000000000c2',
      version: 1,
      seed: 'of-the-real-device',
      family: 'openwrt',
      hostname,
    },
    os: {
      ...{ id: 'busybox', name: 'BusyBox', version, prettyName: `BusyBox v${version}` },
      kernel: {
        ...{ name: 'Linux', release: found.release, build: found.build, machine: found.machine },
        operatingSystem: found.system,
      },
    },
    hardware: {
      ...{ vendor: 'Docker', cpuModel: found.cpu || 'unknown', cpuMhz: 2000 },
      ...{ cores: Number(found.cores), memoryKb: Number(found.memory) },
    },
    mac: { oui: '02:42:c6', vendor: 'Docker' },
    ...{ timezone: 'Etc/UTC', locale: 'C', issue: '', motd: '', ttl: 64, packages: [], reasons: [] },
    bootedAt: new Date(Number(found.boot) * 1000).toISOString(),
    ssh: { banner: 'SSH-2.0-dropbear_2022.83', ...algorithms['dropbear-2022.83'], maxAuthTries: 10 },
    users: [account('root', 0, '/root', '/bin/ash', [password]), account('nobody', 65534, '/', '/bin/false', [])],
    processes: [
      {
        ...{ user: 'root', pid: 1, cpu: 0, mem: 0.1, vsz: 4300, rss: 2900, tty: '?', stat: 'S', start: '00:00' },
        ...{ time: '0:00', command: first },
      },
    ],
    busybox: { banner, applets: applets.split(' ') },
  })
}
