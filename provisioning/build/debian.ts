import { readFile } from 'node:fs/promises'
import { command } from './command.ts'

/** The Debian release the images are made of. Its Python and its Docker Engine are the ones that were tested. */
export const release = 'bookworm'

/** Which packages: of which release, of which parts of it; `suites`: and of these beside it. */
export type Wanted = { release: string; components: readonly string[]; suites?: readonly string[] }
const ofImages: Wanted = { release, components: ['main'] }

/** Where packages come from, as arguments of mmdebstrap. Empty: mmdebstrap's own default. */
export async function packageSources(env: NodeJS.ProcessEnv = process.env, wanted = ofImages): Promise<string[]> {
  const named = env.MARSHLIGHT_DEBIAN_MIRROR
  const beside = (uri: string) =>
    (wanted.suites ?? []).map((suite) => `deb ${uri} ${suite} ${wanted.components.join(' ')}`)
  if (named) return [named, ...beside(named)]
  const system = parseOsRelease(await readFile('/etc/os-release', 'utf8'))
  if (system.ID !== 'debian' || !system.VERSION_CODENAME) return []
  const targets = await command('apt-get', [
    'indextargets',
    'Created-By: Packages',
    'Origin: Debian',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)',
  ])
  return sourcesFor(targets, system.VERSION_CODENAME, wanted)
}

/**
 * The host's own archives of Debian as sources of our release: a site's mirror serves the images too, whatever release
 * the host runs. Backports and the like are left out where they are not asked for.
 */
export function sourcesFor(
  targets: string,
  codename: string,
  { release, components, suites = [] }: Wanted = ofImages,
): string[] {
  const lines = targets.split('\n').flatMap((line) => {
    const [uri, suite, component, signedBy] = line.trim().split(' ')
    if (!uri || !suite || component !== 'main') return []
    const ours = suite.replace(codename, release)
    if (![release, `${release}-updates`, `${release}-security`].includes(ours)) return []
    const key = signedBy?.startsWith('/') ? `[signed-by=${signedBy}] ` : ''
    return [ours, ...(ours === release ? suites : [])].map((name) => `deb ${key}${uri} ${name} ${components.join(' ')}`)
  })
  return [...new Set(lines)]
}

/** apt settings of the host that the fetching of packages needs: proxies, time-outs, checks of dates, certificates. */
export async function aptSettings(): Promise<string[]> {
  const dump = await command('apt-config', ['dump', '--no-empty', 'Acquire'])
  const wanted = /^Acquire::(https?(::|\s)|Check-|Retries|ForceIPv|Max-)/i
  return dump.split('\n').filter((line) => wanted.test(line))
}

export function parseOsRelease(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const match = /^(\w+)="?([^"]*)"?$/.exec(line.trim())
    return match ? [[match[1], match[2]]] : []
  })
  return Object.fromEntries(pairs)
}
