import type { NpmPackage } from '../deb/npm-lock.ts'

export type DebianPackage = { name: string; version: string; architecture: string; source: string }
export type PythonPackage = { name: string; version: string; license: string }
/** What one image of decoys holds. `unlisted`: files of Debian, too, that no list in it gives a package. */
export type DecoyImage = { name: string; debian: DebianPackage[]; python: PythonPackage[]; unlisted: boolean }

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
  /** The images of decoys in it; left out where it holds none. */
  decoys?: readonly DecoyImage[]
}

/** What an image holds, as SPDX 2.3 in JSON (spdx.github.io/spdx-spec/v2.3). The same inputs give the same text. */
export function sbom({ name, version, epoch, rootSha256, debian, npm, decoys }: SbomInputs): string {
  const parts = [
    ...debian.map((one) => debianPart(`deb-${one.name}-${one.architecture}`, one)),
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
  const inDecoys = decoyParts(decoys ?? [])
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
      packages: [image, ...parts, ...inDecoys.images, ...inDecoys.packages],
      relationships: [
        { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: image.SPDXID },
        ...[...parts, ...inDecoys.images].map((one) => contains(image, one)),
        ...inDecoys.contained,
      ],
    },
    undefined,
    1,
  )}\n`
}

/** Images stand on one another: what several hold is one package that each of them contains. */
function decoyParts(decoys: readonly DecoyImage[]) {
  const packages = new Map<string, ReturnType<typeof part>>()
  const put = (key: string, make: (id: string) => ReturnType<typeof part>) => {
    const one = packages.get(key) ?? make(`decoys-${packages.size}-${key.split(' ')[1]}`)
    packages.set(key, one)
    return one
  }
  const images = [...decoys]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, debian, python, unlisted }) => ({
      image: {
        ...part(`decoys-${name}`, name, 'NOASSERTION', 'NOASSERTION'),
        ...(unlisted && { comment: 'The list of its packages is incomplete: it does not name all that it holds.' }),
      },
      // An image may have a package from what it stands on, and again by files that were taken.
      holds: new Set([
        ...debian.map((one) => put(`deb ${one.name} ${one.version} ${one.architecture}`, (id) => debianPart(id, one))),
        ...python.map((one) =>
          put(`pypi ${one.name} ${one.version}`, (id) =>
            part(id, one.name, one.version, one.license, `pkg:pypi/${pypiName(one.name)}@${one.version}`),
          ),
        ),
      ]),
    }))
  return {
    images: images.map(({ image }) => image),
    packages: [...packages.values()],
    contained: images.flatMap(({ image, holds }) => [...holds].map((one) => contains(image, one))),
  }
}

/** As package URLs want it: lower case, and one kind of dash (github.com/package-url/purl-spec, pypi). */
const pypiName = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-')

type Part = { SPDXID: string }
const contains = (whole: Part, one: Part) => ({
  spdxElementId: whole.SPDXID,
  relationshipType: 'CONTAINS',
  relatedSpdxElement: one.SPDXID,
})

const debianPart = (id: string, one: DebianPackage) =>
  part(
    id,
    one.name,
    one.version,
    'NOASSERTION',
    `pkg:deb/debian/${one.name}@${encodeURIComponent(one.version)}?arch=${one.architecture}`,
  )

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
