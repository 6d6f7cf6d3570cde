import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync, truncateSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import t from 'tap'
import { cardLayout, cardNames, cardScript, cardTrees, ubootEnvironment } from '../../../provisioning/image/card.ts'
import { biosBoot, diskMiB, grubEnvironment, layout, sfdiskScript } from '../../../provisioning/image/layout.ts'
import { decoysFit } from '../../../provisioning/image/needed.ts'
import { packageNames } from '../../../provisioning/image/rootfs.ts'
import { installedPackages, sbom } from '../../../provisioning/image/sbom.ts'

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

t.test(
  'a card has a table of an MBR: four places, slots in one of them, data last',
  { skip: withoutSfdisk },
  async (t) => {
    const partitions = cardLayout(mib)
    const [boot, site, slots, data, ...roots] = partitions
    t.equal(site?.startMiB, 258, 'where slots.md says')
    t.equal(data?.startMiB, (slots?.startMiB ?? 0) + (slots?.sizeMiB ?? 0))
    t.equal(diskMiB(partitions), (data?.startMiB ?? 0) + (data?.sizeMiB ?? 0) + 1, 'data comes last')
    const file = join(t.testdir({ disk: '' }), 'disk')
    truncateSync(file, diskMiB(partitions) * mib)
    execFileSync('sfdisk', ['--quiet', file], { input: cardScript(partitions) })
    const table = () => JSON.parse(execFileSync('sfdisk', ['--json', file], { encoding: 'utf8' })).partitiontable
    t.equal(table().label, 'dos')
    t.same(
      table().partitions.map((one: { start: number; size: number; type: string }) => [one.start, one.size, one.type]),
      [boot, site, slots, data, ...roots].map((one) => [
        (one?.startMiB ?? 0) * 2048,
        (one?.sizeMiB ?? 0) * 2048,
        one?.type,
      ]),
    )

    const head = () => {
      const disk = openSync(file, 'r')
      const read = Buffer.alloc(mib)
      // The MBR's own sector and what is behind it, and each table of the extended partition.
      const parts = [0, ...roots.map(({ startMiB }) => startMiB - 1)].map((at) => {
        readSync(disk, read, 0, mib, at * mib)
        return Buffer.from(read)
      })
      closeSync(disk)
      return Buffer.concat(parts)
    }
    const before = head()
    truncateSync(file, 2048 * mib)
    execFileSync('sfdisk', ['--quiet', '--force', '--no-reread', '-N', '4', file], { input: ', +\n' })
    const grown = table().partitions[3]
    t.equal(grown.start, (data?.startMiB ?? 0) * 2048, 'as `grow` does it')
    t.ok(grown.start + grown.size > 2040 * 2048)
    const after = head()
    t.ok(before.subarray(512).equals(after.subarray(512)), 'one sector was written')
  },
)

t.test(
  'a card’s partitions have the names that all images have, and GRUB starts the slots by what Linux calls them',
  async (t) => {
    const partitions = cardLayout(1)
    const names = cardNames(partitions)
    for (const { name } of layout(1).filter(({ name }) => name !== 'marshlight-bios'))
      t.match(
        names,
        `ENV{ID_PART_ENTRY_UUID}=="${partitions.find((one) => one.name === name)?.uuid}", SYMLINK+="disk/by-partlabel/${name}"`,
      )
    const grub = readFileSync(join(import.meta.dirname, '../../../provisioning/image/files/grub.cfg'), 'utf8')
    for (const slot of ['A', 'B'])
      t.match(grub, `set ${slot}=PARTUUID=${partitions.find(({ name }) => name.endsWith(`root-${slot}`))?.uuid}`)
  },
)

t.test('a card has the trees of every Raspberry Pi of 64 bits, by the names its firmware asks for', async (t) => {
  const boards = ['bcm2711-rpi-4-b', 'bcm2712-rpi-5-b', 'bcm2712-d-rpi-5-b', 'bcm2837-rpi-3-b', 'bcm2837-rpi-zero-2-w']
  const names = boards.map((board) => `${board}.dtb`)
  const trees = new Map(cardTrees([...names, 'bcm4908-asus-gt-ac5300.dtb', 'bcm2837-rpi-3-b.dts']))
  for (const name of names) t.equal(trees.get(name), name)
  t.equal(trees.get('bcm2712d0-rpi-5-b.dtb'), 'bcm2712-d-rpi-5-b.dtb')
  t.equal(trees.size, names.length + 1)
})

t.test('U-Boot reads its settings: a checksum, then words that end in zero', async (t) => {
  const environment = ubootEnvironment()
  t.equal(environment.length, 0x4000)
  t.equal(environment.readUInt32LE(0), crc32(environment.subarray(4)))
  const words = environment.subarray(4).toString('latin1').split('\0\0')[0]?.split('\0') ?? []
  t.ok(words.includes('bootdelay=-2'), 'no key stops it')
  t.equal(words.filter((word) => !/^\w+=/.test(word)).length, 0)
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
  const asked = ['grub.cfg', 'fstab', 'slots', 'no-way-on', 'grow', 'data.repart'].flatMap((name) => [
    ...read(name).matchAll(
      /(?:PARTLABEL=|by-partlabel\/|\$devices\/|^Label=)(marshlight-[a-z]+(?:-(?:[AB]\b|(?=\$)))?)/gm,
    ),
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
    [['--site', 'hq'], /hq is no file; here a box's enrolment file is wanted, which `marshlight agents invite/],
    [['--enrolment', folder], /is no file/],
    ...['--site', '--enrolment'].map(
      (option) => [[option, join(folder, 'site.json')], /site.json: controller is missing/] as const,
    ),
  ] as const) {
    const { status, stderr } = build(...words)
    t.ok(status)
    t.match(stderr, told)
    t.notMatch(stderr, 'ml1.secret')
  }
})

t.test('decoys for another processor are told before anything is made', async (t) => {
  const folder = t.testdir({
    'decoys.list': '',
    'manifest.json': '[{"Config": "blobs/config"}]',
    blobs: { config: '{"architecture": "amd64"}' },
  })
  execFileSync('tar', ['-cf', 'decoys.tar', 'manifest.json', 'blobs'], { cwd: folder })
  await decoysFit(folder, 'amd64')
  await t.rejects(decoysFit(folder, 'arm64'), { message: /holds images for amd64, the image is for arm64/ })
  await t.rejects(decoysFit(join(folder, 'blobs'), 'amd64'), { code: 'NOT_FOUND' })
})

t.test('a box that cannot start says which card is at fault, and tries again', async (t) => {
  const folder = t.testdir({})
  const fileHere = async (name: string) =>
    (await readFile(join(import.meta.dirname, '../../../provisioning/image/files', name), 'utf8'))
      .replaceAll('/dev/', `${folder}/`)
      .replaceAll('/usr/lib/marshlight/', `${folder}/`)
  const script = await fileHere('no-way-on')
  await mkdir(join(folder, 'disk/by-partlabel'), { recursive: true })
  for (const [name, does] of [
    ['mountpoint', 'exit 1'],
    ['sleep', ''],
    ['too-small', 'exit 1'],
    ['cannot-start', await fileHere('cannot-start')],
    ['systemctl', `echo "$@" >> ${folder}/asked`],
  ])
    await writeFile(join(folder, name ?? ''), `#!/bin/sh\n${does}\n`, { mode: 0o755 })
  const said = async () => {
    execFileSync('sh', ['-c', script], { env: { PATH: `${folder}:${process.env.PATH}` } })
    return readFile(join(folder, 'tty1'), 'utf8')
  }
  t.match(await said(), /the card is too small, or was not written to its end\. It tries again/)
  await writeFile(join(folder, 'disk/by-partlabel/marshlight-data'), '')
  t.match(await said(), /the data partition cannot be mounted: the card may be failing/)
  t.match(await readFile(join(folder, 'asked'), 'utf8'), /^reboot --force\nreboot --force\n$/)
})
