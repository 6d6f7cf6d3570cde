import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../../provisioning/build/command.ts'
import { contentLabel } from '../../provisioning/build/content.ts'
import { importRootfs } from '../../provisioning/build/rootfs.ts'
import { ownArchitecture } from '../../provisioning/deb/architectures.ts'
import { boundingSet, engineRights } from '../simulation/lab/privileges.ts'

const projectRoot = join(import.meta.dirname, '../..')
const tag = 'marshlight/debian-box:dev'
/** What a machine has that the agent is put on, beside what the agent needs. */
const ofTheMachine = ['ansible-core', 'dbus', 'python3-apt', 'systemd-sysv', 'udev']

/**
 * A Debian as an administrator has it, with systemd as its first process where this machine's control groups allow that:
 * a container without a network, for tests of what installs the agent.
 */
export type DebianBox = {
  /** Whether systemd runs the box. */
  systemd: boolean
  run(script: string): Promise<string>
  remove(): Promise<void>
}

export async function debianBox({ name, folder }: { name: string; folder: string }): Promise<DebianBox> {
  await image()
  const { CapAdd = [] } = engineRights(await boundingSet())
  const rights = [...CapAdd.map((right: string) => `--cap-add=${right}`), '--security-opt=systempaths=unconfined']
  const unhindered = ['--security-opt=seccomp=unconfined', '--security-opt=apparmor=unconfined']
  const args = ['--detach', `--name=${name}`, '--network=none', ...rights, ...unhindered, `--volume=${folder}:/out:ro`]
  const remove = async () => void (await command('docker', ['rm', '--force', '--volumes', name]))
  const run = (script: string) => command('docker', ['exec', '-i', name, 'sh', '-eu'], { input: script })
  const groups = ['--cgroupns=private', '--tmpfs=/run', '--tmpfs=/run/lock', '--volume=/var/lib/docker']
  await command('docker', ['run', ...args, ...groups, '--env=container=docker', tag, '/sbin/init'])
  // Until it has its bus nothing can be asked. `degraded` is well enough: units of a kernel's own have nothing to do here.
  const asked = 'systemctl is-system-running 2> /dev/null || true'
  const state = await run(
    `for _ in $(seq 60); do s=$(${asked}); case $s in running | degraded) break ;; esac; sleep 1; done; echo $s`,
  ).catch(() => '')
  if (/running|degraded/.test(state)) return { systemd: true, run, remove }
  await remove()
  await command('docker', ['run', ...args, '--init', tag, 'sleep', 'infinity'])
  return { systemd: false, run, remove }
}

/** Made once; a list of packages that changed makes it anew. */
async function image(): Promise<void> {
  const listed = await readFile(join(projectRoot, 'images/agent/packages.txt'), 'utf8')
  const packages = [...listed.split('\n').filter(Boolean), ...ofTheMachine].sort()
  const hash = createHash('sha256').update(packages.join(' ')).digest('hex')
  const format = `{{index .Config.Labels "${contentLabel}"}}`
  const present = await command('docker', ['image', 'inspect', '-f', format, tag]).catch(() => '')
  if (present.trim() === hash) return
  await importRootfs({ tag, hash, packages, architecture: ownArchitecture(), cache: join(projectRoot, '.cache/debs') })
}
