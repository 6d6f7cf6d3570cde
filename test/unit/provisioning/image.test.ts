import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { biosBoot, diskMiB, grubEnvironment, layout, sfdiskScript } from '../../../provisioning/image/layout.ts'
import { packageNames } from '../../../provisioning/image/rootfs.ts'
import { installedPackages, sbom } from '../../../provisioning/image/sbom.ts'
import { makeKeyFiles, signBeside, verifyBeside } from '../../../provisioning/image/signing-files.ts'

const mib = 2 ** 20

t.test('no partition lies in another, both slots are alike and hold more than the root, data comes last', async (t) => {
  for (const root of [1, 64 * mib, 700 * mib]) {
    const partitions = layout(root)
    for (const [at, one] of partitions.entries()) {
      const next = partitions[at + 1]?.startMiB ?? diskMiB(partitions) - 1
      t.equal(one.startMiB + one.sizeMiB, next, one.name)
    }
    const slots = partitions.filter(({ name }) => name.startsWith('marshlight-root-'))
    t.same(
      slots.map(({ name }) => name.at(-1)),
      ['A', 'B'],
    )
    t.equal(slots[0]?.sizeMiB, slots[1]?.sizeMiB)
    t.ok((slots[0]?.sizeMiB ?? 0) * mib > root)
    t.equal(partitions.at(-1)?.name, 'marshlight-data')
    t.equal(partitions.find(({ name }) => name === 'marshlight-site')?.startMiB, 258, 'where slots.md says')
  }
})

const withoutSfdisk = spawnSync('sfdisk', ['--version']).error ? 'this machine has no sfdisk' : false

t.test('sfdisk makes the table of it, and finds it whole', { skip: withoutSfdisk }, async (t) => {
  const file = join(t.testdir({ disk: '' }), 'disk')
  const partitions = layout(300 * mib)
  truncateSync(file, diskMiB(partitions) * mib)
  execFileSync('sfdisk', ['--quiet', file], { input: sfdiskScript(partitions) })
  execFileSync('sfdisk', ['--verify', file])
  const table = JSON.parse(execFileSync('sfdisk', ['--json', file], { encoding: 'utf8' })).partitiontable.partitions
  t.same(
    table.map((one: { name: string; start: number; size: number }) => [one.name, one.start / 2048, one.size / 2048]),
    partitions.map(({ name, startMiB, sizeMiB }) => [name, startMiB, sizeMiB]),
  )
})

t.test('boot code leaves the partition table alone and knows where the core lies', async (t) => {
  const { sector0, core } = biosBoot(Buffer.alloc(512, 1), Buffer.alloc(2048, 2), 1)
  t.equal(sector0.length, 440, 'the table begins behind it')
  t.equal(sector0.readBigUInt64LE(0x5c), 2048n)
  t.equal(core.readBigUInt64LE(500), 2049n)
  t.equal(core.length, 2048)
})

t.test('the SBOM names what is installed, and the same inputs give the same text', async (t) => {
  const debian = installedPackages(readFileSync('/var/lib/dpkg/status', 'utf8'))
  const dpkg = execFileSync('dpkg', ['--list'], { encoding: 'utf8' })
  t.equal(
    debian.length,
    dpkg.split('\n').filter((line) => line.startsWith('ii ')).length,
    'all that dpkg says is installed',
  )
  const npm = [{ name: '@peculiar/x509', version: '2.2.0', license: 'MIT', integrity: '', path: '' }]
  const inputs = { name: 'marshlight-amd64', version: '1', epoch: 0, rootSha256: 'ab', debian, npm }
  const text = sbom(inputs)
  t.equal(sbom(inputs), text)
  const { packages, relationships } = JSON.parse(text)
  const ids = packages.map((one: { SPDXID: string }) => one.SPDXID)
  t.equal(new Set(ids).size, ids.length, 'each has an id of its own')
  t.same(
    ids.filter((id: string) => !/^SPDXRef-[A-Za-z0-9.-]+$/.test(id)),
    [],
  )
  t.equal(relationships.length, packages.length)
  t.match(text, 'pkg:npm/%40peculiar/x509@2.2.0')
})

t.test('a list of packages may have words for people', async (t) => {
  t.same(packageNames('# why\nudev # devices\n\nkmod\n'), ['udev', 'kmod'])
})

t.test('what lies in the image is called what the boot loader, its units and its programs call it', async (t) => {
  const read = (name: string) =>
    readFileSync(join(import.meta.dirname, '../../../provisioning/image/files', name), 'utf8')
  const labels = new Set(layout(1).map(({ name }) => name))
  const asked = ['grub.cfg', 'fstab', 'slots', 'no-way-on', 'data.repart'].flatMap((name) => [
    ...read(name).matchAll(/(?:PARTLABEL=|by-partlabel\/|\$devices\/|^Label=)(marshlight-[a-z]+(?:-(?=\$))?)/gm),
  ])
  t.ok(asked.length >= 8)
  for (const [, name = ''] of asked)
    for (const one of name.endsWith('-') ? [`${name}A`, `${name}B`] : [name]) t.ok(labels.has(one), one)
  const keys = grubEnvironment()
    .split('\n')
    .slice(1, -1)
    .map((line) => line.split('=')[0])
  t.same(/load_env --file \$env (.*);/.exec(read('grub.cfg'))?.[1]?.split(' '), keys)
})

const images = join(import.meta.dirname, '../../../provisioning/image/main.ts')
const marshlightImage = (...words: string[]) =>
  spawnSync(process.execPath, [images, 'image', ...words], { encoding: 'utf8' })

t.test('what an image cannot be made of is told before anything is made', async (t) => {
  const folder = t.testdir({ 'site.json': '{"marshlight": 1, "claim": "ml1.secret"}' })
  const build = (...words: string[]) => marshlightImage('build', '--out', join(folder, 'out'), ...words)
  for (const [words, told] of [
    [['--arch', 'mips'], /--arch is mips; it is amd64 or arm64/],
    [['--arch', 'arm64'], /images are made for amd64/],
    [['--site', join(folder, 'none.json')], /none.json does not exist/],
    [['--site', join(folder, 'site.json')], /site.json: controller is missing/],
  ] as const) {
    const { status, stderr } = build(...words)
    t.ok(status)
    t.match(stderr, told)
    t.notMatch(stderr, 'ml1.secret')
  }
})

t.test('an image that was cut off, altered or renamed is not what was signed', async (t) => {
  const folder = t.testdir({ 'box.img.zst': 'an image '.repeat(100) })
  const [key, file] = [join(folder, 'release.key'), join(folder, 'box.img.zst')]
  await makeKeyFiles(key)
  await signBeside(file, key)
  const verify = (which = file, signature?: string) =>
    verifyBeside(which, { publicKey: `${key}.pub`, ...(signature !== undefined && { signature }) })
  await verify()
  const whole = readFileSync(file)
  for (const bad of [whole.subarray(0, 500), Buffer.concat([whole, whole]), Buffer.from(whole).fill(0, 200, 201)]) {
    writeFileSync(file, bad)
    await t.rejects(verify(), { code: 'IMAGE_ALTERED', message: /its content is not what was signed/ })
  }
  const other = join(folder, 'other.img.zst')
  writeFileSync(other, whole)
  await t.rejects(verify(other, `${file}.minisig`), { message: /what was signed is called box.img.zst/ })
  await t.rejects(verify(other), { code: 'IMAGE_UNSIGNED' })
})
