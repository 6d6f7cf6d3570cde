import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withName } from '../../../provisioning/build/archive.ts'
import type { ImagePlan } from '../../../provisioning/build/catalogue.ts'
import { planImages } from '../../../provisioning/build/plan.ts'

const catalogue: readonly ImagePlan[] = [
  { name: 'base', on: [] },
  { name: 'service', on: ['base'], extras: ['agent-bundle'], parts: ['common'] },
  { name: 'other', on: [] },
  { name: 'pretended', on: [], always: 'amd64' },
]

function folder(): string {
  const images = t.testdir({
    base: { 'packages.txt': 'python3\niproute2 # routes\n' },
    service: { Dockerfile: 'FROM marshlight/base:dev\n', 'run.sh': 'true\n', 'README.md': 'words\n' },
    common: { 'both.py': '' },
    pretended: { 'packages.txt': 'busybox\n' },
    other: { Dockerfile: 'FROM marshlight/other-root:dev\n', 'packages.txt': 'nmap\n' },
  })
  return images
}

const hashes = async (images: string, bundle = '1', architecture = 'amd64') =>
  Object.fromEntries(
    (await planImages(catalogue, { images, architecture, own: 'amd64', extras: { 'agent-bundle': bundle } })).map(
      (step) => [step.name, step.hash],
    ),
  )

t.test('the same content is not built twice, a README changes nothing', async (t) => {
  const images = folder()
  const before = await hashes(images)
  writeFileSync(join(images, 'service/README.md'), 'other words\n')
  mkdirSync(join(images, 'service/__pycache__'))
  writeFileSync(join(images, 'service/__pycache__/a.pyc'), 'x')
  t.strictSame(await hashes(images), before)
})

t.test('what changes makes stale what stands on it, and nothing else', async (t) => {
  const images = folder()
  const before = await hashes(images)
  writeFileSync(join(images, 'base/packages.txt'), 'python3\n')
  const after = await hashes(images)
  t.not(after.base, before.base)
  t.not(after.service, before.service)
  t.equal(after.other, before.other)
  writeFileSync(join(images, 'common/both.py'), 'pass\n')
  t.not((await hashes(images)).service, after.service, 'a part that several images have')
  t.not((await hashes(images, '2')).service, after.service, 'another bundle')
  t.not((await hashes(images, '1', 'arm64')).base, after.base, 'another architecture')
})

t.test('packages beside a Dockerfile make a root of their own; alone they are the image', async (t) => {
  const images = folder()
  const steps = await planImages(catalogue, { images, architecture: 'amd64', own: 'amd64', extras: {} })
  t.match(steps[0], { root: { tag: 'marshlight/base:dev', packages: ['iproute2', 'python3'] } })
  t.equal(steps[0]?.build, undefined)
  t.match(steps[2], {
    root: { tag: 'marshlight/other-root:dev' },
    tag: 'marshlight/other:dev',
    build: { version: 'dev' },
  })
})

t.test('a folder that is not there is told by its name', async (t) => {
  await t.rejects(
    planImages([{ name: 'absent', on: [] }], { images: folder(), architecture: 'amd64', own: 'amd64', extras: {} }),
    {
      code: 'CONFIG_MISSING',
      message: /absent/,
    },
  )
})

t.test('images for another machine have tags of their own; what is pretended is the same for all', async (t) => {
  const images = folder()
  const steps = (architecture: string) => planImages(catalogue, { images, architecture, own: 'amd64', extras: {} })
  const [own, other] = [await steps('amd64'), await steps('arm64')]
  t.match(other[0], {
    tag: 'marshlight/base:dev-arm64',
    root: { tag: 'marshlight/base:dev-arm64', architecture: 'arm64' },
  })
  t.match(other[1], { tag: 'marshlight/service:dev-arm64', build: { version: 'dev-arm64' } })
  t.match(other[2]?.root, { tag: 'marshlight/other-root:dev-arm64' })
  t.strictSame(other[3], own[3], 'a pretended server is of one kind')
  t.match(own[3], { tag: 'marshlight/pretended:dev', root: { architecture: 'amd64' } })
})

t.test('whatever engine wrote an archive, its images get the names that decoys ask for', (t) => {
  const [from, to] = ['marshlight/pod:dev-arm64', 'marshlight/pod:dev']
  for (const index of [
    (tag: string) => [{ RepoTags: [`marshlight/pod:${tag}`, `marshlight/pod-other:${tag}`] }],
    (tag: string) => ({ 'marshlight/pod': { [tag]: 'an id' } }),
    (tag: string) => ({
      'io.containerd.image.name': `docker.io/marshlight/pod:${tag}`,
      'org.opencontainers.image.ref.name': tag,
    }),
  ]) {
    const renamed = withName(JSON.stringify(index('dev-arm64')), from, to)
    t.equal(renamed.replace('pod-other:dev-arm64', 'pod-other:dev'), JSON.stringify(index('dev')))
  }
  t.end()
})
