import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Persona, persona } from '../../shared/schemas/persona.ts'
import { eventually } from '../lab/cowrie-pod.ts'
import { docker } from './docker.ts'

export type RealHost = {
  container: string
  user: string
  password: string
  /** The persona of a decoy that pretends to be this very host. */
  describe(): Promise<Persona>
  /** Leaves what it has of networks and joins this one. */
  join(network: string, address: string): Promise<void>
  remove(): Promise<void>
}

export type RealPlace = { container: string; hostname: string; password?: string }

/**
 * Names are refused at once: nobody listens there. Of the engine's own resolver, which it names anew when a network is
 * joined, a program learns the same after ten seconds.
 */
export const refuseNames = (container: string) =>
  docker('exec', container, 'sh', '-c', 'echo nameserver 127.0.0.1 > /etc/resolv.conf')

/** Accounts of people, as a server has them beside root. */
const people = ['jmeier', 'deploy']

/**
 * A Debian host with OpenSSH, to do to it what is done to a decoy. It has no network until it joins one, no route out,
 * little memory and few processes, and is gone after the test.
 */
export async function startRealHost({ container, hostname, password = 'Sommer2024' }: RealPlace): Promise<RealHost> {
  await docker(
    ...['run', '-d', '--name', container, '--hostname', hostname, '--network', 'none'],
    ...['--memory', '512m', '--pids-limit', '256', '--cpus', '1.5', '--ulimit', 'fsize=67108864'],
    ...['-e', `USERS=${[`root:${password}`, ...people.map((name) => `${name}:${password}`)].join(' ')}`],
    ...['-e', 'SSH_OPTIONS=-o PermitRootLogin=yes -o MaxSessions=20', 'marshlight/lab-host:dev'],
  )
  const remove = async () => {
    await docker('rm', '-f', '-v', container)
  }
  try {
    await eventually(
      async () => (/listening on/.test(await docker('logs', container)) ? true : undefined),
      'sshd of the real host listens',
      30,
    )
  } catch (error) {
    await remove()
    throw error
  }
  return {
    container,
    user: 'root',
    password,
    describe: async () => {
      const script = await readFile(join(import.meta.dirname, 'describe_host.py'), 'utf8')
      const found = JSON.parse(await docker('exec', container, 'python3', '-c', script))
      const known = (user: { passwords: string[] }) => ({ ...user, passwords: user.passwords.map(() => password) })
      return persona.parse({ ...found, hostname, users: found.users.map(known) })
    },
    join: async (network, address) => {
      await docker('network', 'disconnect', 'none', container)
      await docker('network', 'connect', '--ip', address, network, container)
      await refuseNames(container)
    },
    remove,
  }
}
