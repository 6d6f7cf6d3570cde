import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { decoyPackages, unlistedWords } from '../../../provisioning/image/decoy-packages.ts'
import { sbom } from '../../../provisioning/image/sbom.ts'

const paragraph = (name: string, version: string, source = name) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nSource: ${source}\nVersion: ${version}\n`
const status = (...paragraphs: string[]) => ({ 'var/lib/dpkg/status': paragraphs.join('\n') })
const metadata = (name: string, version: string) => `Metadata-Version: 2.4\nName: ${name}\nVersion: ${version}\n`

const layers: Record<string, Record<string, string>> = {
  base: {
    ...status(paragraph('libc6', '2.36-9+deb12u10', 'glibc'), paragraph('python3', '3.11.2-1+b1')),
    'var/lib/dpkg/status-old': paragraph('gone', '1'),
    'usr/bin/python3': '',
  },
  cowrie: {
    'opt/decoy/twisted-26.4.0.dist-info/METADATA': `${metadata('Twisted', '26.4.0')}License-Expression: MIT\n\nName: not this one\n`,
    'opt/decoy/zope_interface-8.7.dist-info/METADATA': metadata('zope.interface', '8.7'),
    'opt/decoy/old-1.dist-info/METADATA': metadata('old', '1'),
  },
  mended: { 'opt/decoy/.wh.old-1.dist-info': '', 'usr/local/bin/ours': '' },
  servers: { 'usr/sbin/nginx': '' },
  named: { 'var/lib/dpkg/status.d/nginx': paragraph('nginx', '1.22.1-9+deb12u2') },
}

/** An archive as `docker save` writes it, of images by their layers. */
async function archiveOf(t: Test, images: Record<string, string[]>) {
  const folder = t.testdir({ work: {} })
  for (const [layer, files] of Object.entries(layers)) {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, layer, 'files', dirname(name)), { recursive: true })
      writeFileSync(join(folder, layer, 'files', name), text)
    }
    // Of newer engines layers may be pressed; names begin with ./ or not.
    const [how, what] = layer === 'base' ? ['-cf', '.'] : ['-czf', readdirSync(join(folder, layer, 'files'))].flat()
    const more = layer === 'base' ? [] : readdirSync(join(folder, layer, 'files')).slice(1)
    execFileSync('tar', [
      how ?? '',
      join(folder, layer, 'layer.tar'),
      '-C',
      join(folder, layer, 'files'),
      what ?? '',
      ...more,
    ])
  }
  const manifest = Object.entries(images).map(([tag, names]) => ({
    Config: `${tag.replace(/\W/g, '')}.json`,
    RepoTags: [`marshlight/${tag}:dev`],
    Layers: names.map((name) => `${name}/layer.tar`),
  }))
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  execFileSync(
    'tar',
    ['-cf', 'decoys.tar', 'manifest.json', ...Object.keys(layers).map((name) => `${name}/layer.tar`)],
    {
      cwd: folder,
    },
  )
  return decoyPackages(join(folder, 'decoys.tar'), join(folder, 'work'))
}

const named = (one: { name: string; version: string }) => `${one.name} ${one.version}`

t.test('what is in the decoys’ images is read out of their archive: Debian’s packages and Python’s', async (t) => {
  const [cowrie, web] = await archiveOf(t, {
    cowrie: ['base', 'cowrie', 'mended'],
    web: ['base', 'servers', 'named'],
  })
  t.equal(cowrie?.name, 'marshlight/cowrie')
  t.same(cowrie?.debian.map(named), ['libc6 2.36-9+deb12u10', 'python3 3.11.2-1+b1'])
  t.same(
    cowrie?.python.map(named),
    ['Twisted 26.4.0', 'zope.interface 8.7'],
    'and nothing that a later layer took away',
  )
  t.equal(cowrie?.python[0]?.license, 'MIT')
  t.equal(cowrie?.unlisted, false)
  t.same(web?.debian.map(named), ['libc6 2.36-9+deb12u10', 'nginx 1.22.1-9+deb12u2', 'python3 3.11.2-1+b1'])
  t.equal(web?.unlisted, false)
})

t.test('an archive from before its images named all of their packages is told, with the next step', async (t) => {
  const decoys = await archiveOf(t, { web: ['base', 'servers'], pod: ['base', 'mended'] })
  t.same(
    decoys.map(({ unlisted }) => unlisted),
    [true, false],
    'our own files are of no package',
  )
  t.same(unlistedWords(decoys, 'arm64'), [
    '  marshlight/web does not name all packages that it holds: its SBOM lacks them',
    '  make it anew with `npm run images -- --arch arm64`',
  ])
  t.same(unlistedWords([], 'amd64'), [])
})

t.test(
  'the SBOM tells which image of decoys holds a package, each package once, always in the same words',
  async (t) => {
    const decoys = await archiveOf(t, { web: ['base', 'servers'], cowrie: ['base', 'cowrie', 'mended'] })
    const inputs = { name: 'marshlight-amd64', version: '1', epoch: 0, rootSha256: 'ab', npm: [] }
    const debian = [{ name: 'libc6', version: '2.41-12', architecture: 'amd64', source: 'glibc' }]
    const text = sbom({ ...inputs, debian, decoys })
    t.equal(sbom({ ...inputs, debian, decoys: [...decoys].reverse() }), text)
    const { packages, relationships } = JSON.parse(text) as {
      packages: { SPDXID: string; name: string; comment?: string; externalRefs?: { referenceLocator: string }[] }[]
      relationships: Record<string, string>[]
    }
    const purls = packages.flatMap((one) => one.externalRefs?.map(({ referenceLocator }) => referenceLocator) ?? [])
    t.same(purls, [
      'pkg:deb/debian/libc6@2.41-12?arch=amd64',
      'pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64',
      'pkg:deb/debian/python3@3.11.2-1%2Bb1?arch=amd64',
      'pkg:pypi/twisted@26.4.0',
      'pkg:pypi/zope-interface@8.7',
    ])
    const ids = packages.map(({ SPDXID }) => SPDXID)
    t.equal(new Set(ids).size, ids.length, 'each has an id of its own')
    const idOf = (purl: string) => packages.find((one) => one.externalRefs?.[0]?.referenceLocator === purl)?.SPDXID
    const holders = (purl: string) =>
      relationships
        .filter((one) => one.relatedSpdxElement === idOf(purl) && one.relationshipType === 'CONTAINS')
        .map((one) => packages.find(({ SPDXID }) => SPDXID === one.spdxElementId)?.name)
    t.same(holders('pkg:deb/debian/libc6@2.41-12?arch=amd64'), ['marshlight-amd64'])
    t.same(holders('pkg:deb/debian/python3@3.11.2-1%2Bb1?arch=amd64'), ['marshlight/cowrie', 'marshlight/web'])
    t.same(holders('pkg:pypi/twisted@26.4.0'), ['marshlight/cowrie'])
    t.match(packages.find(({ name }) => name === 'marshlight/web')?.comment, 'The list of its packages is incomplete')
    t.notOk(packages.find(({ name }) => name === 'marshlight/cowrie')?.comment)
  },
)
