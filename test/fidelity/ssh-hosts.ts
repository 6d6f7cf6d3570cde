import { algorithmsOf, type Catalogue, templateOf } from '../../controller/personas/catalogue.ts'
import type { Algorithms } from '../../controller/personas/data-files.ts'
import { command, docker, eventually, type Lab } from '../lab/cowrie-pod.ts'
import { SshClient } from './ssh-client.ts'
import type { Probe } from './ssh-probe.ts'
import { allOpensshProbes, sshProbes } from './ssh-probes.ts'
import type { Target } from './ssh-transcript.ts'

export type Scope = { teardown(work: () => unknown): unknown }

export const realPassword = 'toor!23'

async function listens(host: string): Promise<true | undefined> {
  const client = await SshClient.connect(host).catch(() => undefined)
  const line = await client?.line(2000)
  client?.close()
  return line?.startsWith('SSH-2.0-') ? true : undefined
}

/** A server to hold the decoy beside: how the host is told to run it, and what the catalogue knows of one with its banner. */
export type Software = {
  environment: readonly string[]
  /** Of its kind: the decoy makes its host keys by it, at its first start, before the real one has told its own. */
  firstBanner: string
  algorithms(catalogue: Catalogue, banner: string): Algorithms | undefined
  maxAuthTries: number
  probes: readonly Probe[]
  /** Connections of one host that have not logged in and are borne for certain, also while others are going. */
  atATime: number
}

/** Root may log in with a password, as on the decoy; nothing else is changed. */
export const openssh: Software = {
  environment: ['SERVICES=ssh', 'SSH_OPTIONS=-oPermitRootLogin=yes'],
  firstBanner: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7',
  algorithms: (catalogue, banner) => {
    const template = templateOf(catalogue, 'debian-12')
    return template && algorithmsOf(catalogue, template, banner)
  },
  maxAuthTries: 6,
  probes: allOpensshProbes,
  atATime: 6,
}

export const dropbear: Software = {
  environment: ['SERVICES=dropbear', 'DROPBEAR_KEYS=rsa ed25519'],
  firstBanner: 'SSH-2.0-dropbear_2022.83',
  algorithms: ({ algorithms }, banner) => algorithms[banner.replace('SSH-2.0-dropbear_', 'dropbear-')],
  maxAuthTries: 10,
  probes: sshProbes,
  atATime: 2,
}

/** A Debian host with its own SSH server, beside the decoy, and what it says to who comes in. */
export async function startRealHost(
  t: Scope,
  lab: Lab,
  { environment }: Software,
): Promise<{ real: Target; motd: string }> {
  const [name, host] = [`${lab.name}-real`, `${lab.subnet}.30`]
  t.teardown(() => docker('rm', '-f', '-v', name))
  const given = [`USERS=root:${realPassword} jmeier:Sommer2024`, ...environment].flatMap((one) => ['-e', one])
  await docker('run', '-d', '--name', name, '--network', lab.name, '--ip', host, ...given, 'marshlight/lab-host:dev')
  await eventually(() => listens(host), 'the real server listens', 30)
  const { out } = await command('docker', ['exec', name, 'sh', '-c', 'run-parts /etc/update-motd.d; cat /etc/motd'])
  return { real: { host, port: 22, user: 'root', password: realPassword }, motd: out }
}

/** What the package of Cowrie does without any of ours, in the same image. */
const stock = `
import os, sys
for name in ('var/log/cowrie', 'var/lib/cowrie/tty', 'var/lib/cowrie/downloads', 'etc'):
    os.makedirs(name, exist_ok=True)
from twisted.scripts.twistd import run
sys.argv = ['twistd', '-n', '--pidfile=', 'cowrie']
run()
`

/** `banner`: what it is told to announce. */
export async function startStockCowrie(t: Scope, lab: Lab, banner: string): Promise<Target> {
  const [name, host] = [`${lab.name}-stock`, `${lab.subnet}.31`]
  t.teardown(() => docker('rm', '-f', '-v', name))
  const place = ['--network', lab.name, '--ip', host, '--sysctl', 'net.ipv4.ip_unprivileged_port_start=0']
  const rights = ['--user', '2600:2600', '--tmpfs', '/work:uid=2600,gid=2600', '-w', '/work']
  const named = ['-e', `COWRIE_SSH_VERSION=${banner}`, '-e', 'COWRIE_SSH_LISTEN_ENDPOINTS=tcp:22:interface=0.0.0.0']
  const settings = [...named, '--entrypoint', 'python3']
  await docker(
    'run',
    '-d',
    '--name',
    name,
    ...place,
    ...rights,
    ...settings,
    'marshlight/cowrie:dev',
    '-P',
    '-c',
    stock,
  )
  await eventually(() => listens(host), 'stock Cowrie listens', 60)
  return { host, port: 22, user: 'root', password: 'admin' }
}
