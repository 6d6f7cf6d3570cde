import type { NpmPackage } from '../deb/npm-lock.ts'

export type DebianPackage = { name: string; version: string; architecture: string; source: string }

/** Installed packages by dpkg's status file (deb822), by name. */
export function installedPackages(status: string): DebianPackage[] {
  return status
    .split(/\n{2,}/)
    .flatMap((paragraph) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1]
      const [name, version, architecture] = [field('Package'), field('Version'), field('Architecture')]
      if (!name || !version || !architecture || field('Status') !== 'install ok installed') return []
      return [{ name, version, architecture, source: field('Source')?.split(' ')[0] ?? name }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export type SbomInputs = {
  name: string
  version: string
  epoch: number
  rootSha256: string
  debian: readonly DebianPackage[]
  npm: readonly NpmPackage[]
  /** Whether images of decoys lie in it. */
  decoys: boolean
}

/** What an image holds, as SPDX 2.3 in JSON (spdx.github.io/spdx-spec/v2.3). The same inputs give the same text. */
export function sbom({ name, version, epoch, rootSha256, debian, npm, decoys }: SbomInputs): string {
  const parts = [
    ...debian.map((one) =>
      part(
        `deb-${one.name}-${one.architecture}`,
        one.name,
        one.version,
        'NOASSERTION',
        `pkg:deb/debian/${one.name}@${encodeURIComponent(one.version)}?arch=${one.architecture}`,
      ),
    ),
    ...npm.map((one, at) =>
      part(
        `npm-${at}-${one.name}`,
        one.name,
        one.version,
        one.license,
        `pkg:npm/${one.name.replace('@', '%40')}@${one.version}`,
      ),
    ),
  ]
  const image = {
    ...part('image', name, version, 'NOASSERTION'),
    checksums: [{ algorithm: 'SHA256', checksumValue: rootSha256 }],
    comment: `The checksum is that of the root file system. ${decoys ? 'It holds' : 'It does not hold'} images of decoys.`,
  }
  return `${JSON.stringify(
    {
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name: `${name}-${version}`,
      documentNamespace: `urn:marshlight:image:${rootSha256}`,
      creationInfo: {
        created: new Date(epoch * 1000).toISOString().replace('.000', ''),
        creators: ['Tool: marshlight image'],
      },
      packages: [image, ...parts],
      relationships: [
        { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: image.SPDXID },
        ...parts.map(({ SPDXID }) => ({
          spdxElementId: image.SPDXID,
          relationshipType: 'CONTAINS',
          relatedSpdxElement: SPDXID,
        })),
      ],
    },
    undefined,
    1,
  )}\n`
}

const part = (id: string, name: string, versionInfo: string, license: string, purl?: string) => ({
  SPDXID: `SPDXRef-${id.replace(/[^A-Za-z0-9.-]/g, '-')}`,
  name,
  versionInfo,
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  licenseDeclared:
    /^[\w.+-]+( (OR|AND|WITH) [\w.+-]+)*$/.test(license) && license !== 'unknown' ? license : 'NOASSERTION',
  copyrightText: 'NOASSERTION',
  ...(purl && {
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }),
})
