import { eventually } from '../lab/cowrie-pod.ts'
import { docker } from './docker.ts'

export type StockCowrie = { container: string; user: string; password: string; remove(): Promise<void> }

export type StockPlace = {
  /** Name of the container. */
  container: string
  /** A Docker network of the test and an address on it; or `container:<name>` alone. */
  network: string
  address?: string
  /** Further settings, as in `SHELL_HOSTNAME`: environment of Cowrie without its prefix. */
  settings?: Record<string, string>
  telnet?: boolean
}

/** Without our package: what `twistd cowrie` does with the settings that come with it, on the ports of a real host. */
const start = `
import os, sys
for folder in ('log/cowrie', 'lib/cowrie/tty', 'lib/cowrie/downloads', 'run'):
    os.makedirs('var/' + folder, exist_ok=True)
from twisted.scripts.twistd import run
sys.argv = ['twistd', '-n', '--pidfile=', '--logger', 'cowrie.python.logfile.stdoutLogger', 'cowrie']
run()
`

/** The Cowrie of the decoys' image as it comes: what our own is compared with. Lets root in with any password but "root". */
export async function startStockCowrie(place: StockPlace): Promise<StockCowrie> {
  const { container, network, address, settings = {}, telnet = false } = place
  const all = {
    SSH_LISTEN_ENDPOINTS: 'tcp:22:interface=0.0.0.0',
    TELNET_ENABLED: String(telnet),
    TELNET_LISTEN_ENDPOINTS: 'tcp:23:interface=0.0.0.0',
    ...settings,
  }
  const environment = Object.entries(all).flatMap(([name, value]) => ['-e', `COWRIE_${name}=${value}`])
  const ports = network.startsWith('container:') ? [] : ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=0']
  await docker(
    ...['run', '-d', '--name', container, '--network', network, ...(address ? ['--ip', address] : []), ...ports],
    ...['--user', '2600:2600', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only'],
    ...['--memory', '256m', '--pids-limit', '64', '--tmpfs', '/run/stock:uid=2600,gid=2600', '-w', '/run/stock'],
    ...['--tmpfs', '/tmp:size=8m', ...environment, '--entrypoint', 'python3', 'marshlight/cowrie:dev', '-c', start],
  )
  const remove = async () => {
    await docker('rm', '-f', '-v', container)
  }
  try {
    const ready = async () => (/Ready to accept SSH/.test(await docker('logs', container)) ? true : undefined)
    await eventually(ready, 'stock Cowrie listens', 30)
  } catch (error) {
    await remove()
    throw error
  }
  return { container, user: 'root', password: 'admin', remove }
}
