import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { changelog, copyright, packageName } from './control.ts'

/** A file of the package: its path there, without a slash before. */
export type Entry = { path: string; mode: 0o644 | 0o755 } & ({ from: string } | { content: string | Uint8Array })

const own = join(import.meta.dirname, 'files')
const home = `usr/lib/${packageName}`
/** What starts one version of the agent (agent/updates/): the only file of the bundle that is a program. */
const launcher = 'launcher.sh'
const doc = `usr/share/doc/${packageName}`

/** Folders that shall be there though nothing is in them: where decoys' images and the keys of releases are looked for. */
export const folders = ['usr/share/marshlight/images', 'usr/share/marshlight/release-keys'] as const

export type Inputs = {
  version: string
  epoch: number
  /** Files of the agent's bundle: name there -> path here. */
  bundle: Readonly<Record<string, string>>
  node: { binary: string; license: string | Uint8Array }
  thirdParty: string
}

/** All files of the package, in the order of their paths. */
export function packageContents({ version, epoch, bundle, node, thirdParty }: Inputs): Entry[] {
  const entries: Entry[] = [
    { path: `usr/bin/${packageName}`, mode: 0o755, from: join(own, 'marshlight-agent') },
    { path: `${home}/node`, mode: 0o755, from: node.binary },
    ...Object.entries(bundle).map(
      ([name, from]): Entry => ({ path: `${home}/${name}`, mode: name === launcher ? 0o755 : 0o644, from }),
    ),
    {
      path: `usr/lib/systemd/system/${packageName}.service`,
      mode: 0o644,
      from: join(own, 'marshlight-agent.service'),
    },
    { path: 'usr/share/marshlight/security-updates.conf', mode: 0o644, from: join(own, 'security-updates.conf') },
    { path: `usr/share/lintian/overrides/${packageName}`, mode: 0o644, from: join(own, 'lintian-overrides') },
    { path: `${doc}/README`, mode: 0o644, from: join(own, 'README') },
    { path: `${doc}/copyright`, mode: 0o644, content: copyright(new Date(epoch * 1000).getUTCFullYear()) },
    { path: `${doc}/changelog.gz`, mode: 0o644, content: zipped(changelog(version, epoch)) },
    { path: `${doc}/node-license.gz`, mode: 0o644, content: zipped(node.license) },
    { path: `${doc}/third-party.gz`, mode: 0o644, content: zipped(thirdParty) },
  ]
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Scripts that dpkg runs, with the control file beside them. */
export const maintainerScripts: readonly Entry[] = (['postinst', 'postrm', 'prerm'] as const).map((name) => ({
  path: name,
  mode: 0o755,
  from: join(own, name),
}))

/** zlib writes no name and no time into the header: the same text gives the same bytes. */
const zipped = (text: string | Uint8Array): Uint8Array => gzipSync(text, { level: 9 })
