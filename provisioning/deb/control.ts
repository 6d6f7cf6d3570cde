import type { Architecture } from './architectures.ts'

export const packageName = 'marshlight-agent'

/**
 * Programs the agent starts, as Debian packages, beside what every Debian has. Either engine does. libc6 and libstdc++6
 * are what Node's binary is linked with.
 */
export const depends = [
  'ca-certificates',
  'docker.io | docker-ce | moby-engine',
  'ethtool',
  'init-system-helpers (>= 1.54)',
  'iproute2',
  'iptables',
  'iputils-arping',
  'libc6 (>= 2.28)',
  'libstdc++6 (>= 10)',
  'nftables',
  'nmap',
  'procps',
  'tcpdump',
] as const

/** `version` as npm writes it: a pre-release comes before its release, which Debian writes with a tilde. */
export const debianVersion = (version: string): string => version.replace('-', '~').replace('+', '.')

/** The package's control file (deb-control(5)). `installedKb` is what its files take. */
export function controlFile(o: { version: string; architecture: Architecture; installedKb: number }): string {
  return `Package: ${packageName}
Version: ${debianVersion(o.version)}
Architecture: ${o.architecture}
Maintainer: Marshlight <packages@marshlight.example>
Installed-Size: ${o.installedKb}
Depends: ${depends.join(', ')}
Recommends: systemd, tpm2-tools
Section: net
Priority: optional
Description: decoys, scans and blocks for one network segment
 The appliance's side of Marshlight, a deception network: it scans the segments
 of this machine, keeps decoys among their hosts, captures what touches them,
 applies blocks, and tells a controller all of it through a spool that loses
 nothing. It brings a Node.js of its own.
`
}

/** md5sums as dpkg --verify wants them: paths without a slash before, in order. */
export const md5sums = (hashes: ReadonlyMap<string, string>): string =>
  [...hashes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, hash]) => `${hash}  ${path}\n`)
    .join('')

/** The changelog of the package (deb-changelog(5)): what changed is told by the project's own. */
export const changelog = (version: string, epoch: number): string =>
  `${packageName} (${debianVersion(version)}) unstable; urgency=medium

  * See the project's own CHANGELOG for what changed.

 -- Marshlight <packages@marshlight.example>  ${new Date(epoch * 1000).toUTCString().replace('GMT', '+0000')}
`

export const copyright = (
  year: number,
): string => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Marshlight

Files: *
Copyright: ${year} the Marshlight authors
License: Apache-2.0
 On Debian systems, the text of the Apache License, version 2.0, stands in
 /usr/share/common-licenses/Apache-2.0.
Comment: The packages bundled with it stand in third-party.gz beside this file.

Files: usr/lib/marshlight-agent/node
Copyright: Node.js contributors and others
License: Expat-and-others
 The terms of Node.js and of what is part of it stand in node-license.gz beside
 this file.
`
