import { docker, eventually, type Lab } from '../lab/cowrie-pod.ts'
import { SshClient } from './ssh-client.ts'
import type { Target } from './ssh-transcript.ts'

export type Scope = { teardown(work: () => unknown): unknown }

export const realPassword = 'toor!23'

async function listens(host: string): Promise<true | undefined> {
  const client = await SshClient.connect(host).catch(() => undefined)
  const line = await client?.line(2000)
  client?.close()
  return line?.startsWith('SSH-2.0-') ? true : undefined
}

/** A Debian host with its own sshd, beside the decoy. Root may log in with a password, as on the decoy; nothing else is changed. */
export async function startRealSshd(t: Scope, lab: Lab): Promise<Target> {
  const [name, host] = [`${lab.name}-real`, `${lab.subnet}.30`]
  t.teardown(() => docker('rm', '-f', '-v', name))
  const accounts = `USERS=root:${realPassword} jmeier:Sommer2024`
  const place = ['--network', lab.name, '--ip', host, '-e', accounts, '-e', 'SSH_OPTIONS=-oPermitRootLogin=yes']
  await docker('run', '-d', '--name', name, ...place, 'marshlight/lab-host:dev')
  await eventually(() => listens(host), 'the real sshd listens', 30)
  return { host, port: 22, user: 'root', password: realPassword }
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
