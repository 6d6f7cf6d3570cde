import type { PersonaPackage } from '../../shared/schemas/persona.ts'
import type { PackageList } from './data-files.ts'
import type { Role, Template } from './template.ts'

export type KernelNames = { release: string; build: string; machine: string }

/** What `dpkg -l`, `rpm -qa` or `opkg list-installed` tells: the release's base, the role's own, kernel and SSH as announced. */
export function buildPackages(
  template: Template,
  role: Role,
  list: PackageList,
  { kernel, banner, telnet }: { kernel: KernelNames; banner: string | undefined; telnet: boolean },
): PersonaPackage[] {
  const extra = [...groupsOf(role), ...(telnet && list.roles.telnet ? ['telnet'] : [])]
  const rows = new Map([...list.base, ...extra.flatMap((name) => list.roles[name] ?? [])].map((row) => [row[0], row]))
  const ssh = banner === undefined ? undefined : sshVersion(banner)
  const packages = [...rows.values()].map(([name, version, arch, summary]) => ({
    name,
    version: ssh !== undefined && /^openssh-(server|client|sftp-server)$/.test(name) ? ssh : version,
    arch: archOf(arch, kernel.machine),
    summary,
  }))
  const own = kernelPackage(list, kernel)
  if (own) packages.push({ ...own, summary: `Linux kernel for ${template.label}` })
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Groups of the list of packages that come with a role. */
export const groupsOf = ({ packages = [] }: Role): string[] => [packages].flat()

/** The package of the running kernel: its name holds the release on Debian, its version on Red Hat. */
export function kernelPackage(
  { format, kernel: name }: PackageList,
  { release, build, machine }: KernelNames,
): Omit<PersonaPackage, 'summary'> | undefined {
  if (name === '') return undefined
  if (format === 'rpm') return { name, version: release.replace(/\.[^.]+$/, ''), arch: machine }
  const debian = /Debian (\S+)/.exec(build)?.[1]
  const ubuntu = /^#(\d+)(?:~\S+?)?-Ubuntu/.exec(build)?.[1]
  const version = debian ?? `${release.replace(/-[a-z]+$/, '')}.${ubuntu ?? '1'}`
  return { name: name.replace('{release}', release), version, arch: archOf('amd64', machine) }
}

/** The version of the package that announces itself so, or undefined where the banner does not say it. */
export function sshVersion(banner: string): string | undefined {
  const found = /OpenSSH_(\S+) (?:Debian|Ubuntu)-(\S+)$/.exec(banner)
  return found ? `1:${found[1]}-${found[2]}` : undefined
}

const archOf = (arch: string, machine: string) => (arch === 'amd64' && machine === 'aarch64' ? 'arm64' : arch)

/** `1:10.11.6-0+deb12u1` as upstream's 10.11.6 and the distribution's 0+deb12u1. */
export function splitVersion(version: string): { upstream: string; revision: string } {
  const plain = version.replace(/^\d+:/, '')
  const cut = plain.lastIndexOf('-')
  const [upstream, revision] = cut < 0 ? [plain, ''] : [plain.slice(0, cut), plain.slice(cut + 1)]
  return { upstream: upstream.replace(/\+.*$/, ''), revision }
}
