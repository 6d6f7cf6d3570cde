import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { openBase } from '../../../controller/handover/base-image.ts'
import { type Invited, prepareHandover } from '../../../controller/handover/index.ts'
import { makeKeys, signFile } from '../../../shared/minisign.ts'
import { parseEnrolmentFile } from '../../../shared/schemas/enrolment-file.ts'
import { tempFolder } from '../spool/records.ts'
import { cardImage, flipByte, gpt, gptFats, mbr, mbrFats, pack, readBack } from './card-image.ts'

const name = 'marshlight-enrol.json'
const invited = (n: number): Invited => ({
  token: `ml1.secret${n}`,
  controller: 'c.example:8884',
  site: 'Köln',
  segment: 'Büro 2',
  expiresAt: '2026-03-02T00:00:00Z',
})
const settings = {
  ntp: ['198.18.0.1'],
  network: { address: 'dhcp' as const, dns: [], vlans: [{ tag: 7, address: 'dhcp' as const, dns: [] }] },
}
const place = { site: 'Köln', segment: 'Büro 2', settings }
const sparse = async (file: string) => (await stat(file)).blocks * 512

async function folders(t: Test) {
  const from = await tempFolder(t)
  const out = join(await tempFolder(t), 'cards')
  const work = await tempFolder(t)
  const nothingLeft = async () => t.same(await readdir(out).catch(() => []), [], 'nothing half left')
  return { from, out, work, nothingLeft }
}

t.test('each box gets an image of its own, by GPT and by MBR, packed or not; the base stays as it was', async (t) => {
  const { from, out } = await folders(t)
  const cases = [
    [await cardImage(from, 'pc.img', gpt(), gptFats), 20, 'amd64'],
    [await cardImage(from, 'pi.img', mbr, mbrFats), 24, 'arm64'],
  ] as const
  for (const [plain, startMiB, arch] of cases)
    for (const image of [plain, await pack(plain)]) {
      const before = await readFile(image)
      const folder = join(out, basename(image))
      const handover = await prepareHandover({ ...place, folder, count: 3, image, arch })
      t.match(handover.base, { arch, offset: startMiB * 2 ** 20 })
      const files = await handover.deliver([1, 2, 3].map(invited))
      await handover.close()
      const images = ['koln-buro-2-01.img', 'koln-buro-2-02.img', 'koln-buro-2-03.img']
      const names = images.flatMap((one) => [one, `${one}.sha256`])
      t.same((await readdir(folder)).sort(), names)
      t.same(
        files.flat(),
        names.map((one) => join(folder, one)),
      )
      execFileSync('sha256sum', ['--check', '--strict', '--quiet', ...images.map((one) => `${one}.sha256`)], {
        cwd: folder,
      })
      for (const [i, file] of images.map((one) => join(folder, one)).entries()) {
        const read = parseEnrolmentFile(await readBack(file, startMiB, name), file)
        t.match(read, {
          claim: `ml1.secret${i + 1}`,
          segment: 'Büro 2',
          hostname: `koln-buro-2-0${i + 1}`,
          ...settings,
        })
        t.equal((await stat(file)).mode & 0o777, 0o600)
        t.equal((await stat(file)).size, (await stat(plain)).size)
        t.ok((await sparse(file)) < 4 * 2 ** 20, 'holes stay holes')
      }
      t.ok(before.equals(await readFile(image)), 'the base')
    }
})

t.test('numbers go on where files are; none is written over', async (t) => {
  const { out } = await folders(t)
  for (const numbers of [[1, 2], [3]]) {
    const handover = await prepareHandover({ ...place, folder: out, count: numbers.length, qr: true })
    await handover.deliver(numbers.map(invited))
    await handover.close()
  }
  const stems = ['koln-buro-2-01', 'koln-buro-2-02', 'koln-buro-2-03']
  t.same(
    (await readdir(out)).sort(),
    stems.flatMap((stem) => [`${stem}.json`, `${stem}.svg`]),
  )
  t.match(parseEnrolmentFile(await readFile(join(out, `${stems[0]}.json`), 'utf8'), ''), { claim: 'ml1.secret1' })
  for (const file of await readdir(out)) t.equal((await stat(join(out, file))).mode & 0o777, 0o600, file)
})

t.test('a stick gets the file that a box looks for, and never a second one', async (t) => {
  const { from: stick } = await folders(t)
  const handover = await prepareHandover({ ...place, folder: stick, count: 1, stick: true, name: 'gate-1' })
  await handover.deliver([invited(1)])
  await handover.close()
  t.same(await readdir(stick), [name])
  t.match(parseEnrolmentFile(await readFile(join(stick, name), 'utf8'), ''), { hostname: 'gate-1' })
  await t.rejects(prepareHandover({ ...place, folder: stick, count: 1, stick: true }), { code: 'CONFLICT' })
  const gone = join(stick, 'not-mounted')
  await t.rejects(prepareHandover({ ...place, folder: gone, count: 1, stick: true }), { code: 'USAGE' })
})

t.test(
  'a base that is cut off, altered, of another kind or for another box is refused before anything is made',
  async (t) => {
    const { from, out, nothingLeft } = await folders(t)
    const make = (name: string, script = gpt(), fats = gptFats) => cardImage(from, name, script, fats)
    const prepare = (image: string, more: object = {}) =>
      prepareHandover({ ...place, folder: out, count: 1, image, ...more })
    const refused = async (image: string, why: RegExp, more: object = {}) => {
      await t.rejects(prepare(image, more), { code: 'IMAGE_UNFIT', message: why })
      await nothingLeft()
    }
    const cut = await make('cut.img')
    await truncate(cut, 40 * 2 ** 20)
    await refused(cut, /cut off/)
    const short = await make('short.img', mbr, mbrFats)
    await truncate(short, 30 * 2 ** 20)
    await refused(short, /cut off: a partition ends/)
    for (const [at, why] of [
      [512 + 24, /header of its GPT/],
      [1024 + 40, /entries of its GPT/],
      [510, /no partition table/],
    ] as const) {
      const altered = await make('altered.img')
      await flipByte(altered, at)
      await refused(altered, why)
    }
    await refused(
      await make('none.img', gpt(), gptFats.slice(0, 1)),
      /no FAT partition called MARSHLIGHT \(MARSHBOOT\)/,
    )
    const twice = [{ ...gptFats[1], startMiB: 1, sizeMiB: 8 }, gptFats[1]] as typeof gptFats
    await refused(await make('twice.img', gpt(), twice), /two FAT partitions/)
    await refused(await make('pc.img'), /for amd64, arm64 was asked for/, { arch: 'arm64' })
    await refused(await make('pi.img', mbr, mbrFats), /for arm64, amd64 was asked for/, { arch: 'amd64' })
    const packed = await pack(await make('packed.img'))
    await truncate(packed, (await stat(packed)).size - 100)
    await refused(packed, /cannot be unpacked/)
    await writeFile(join(from, 'text.img'), 'no image at all')
    await refused(join(from, 'text.img'), /no partition table/)
    await refused(from, /it is no file/)
    await t.rejects(prepare(join(from, 'missing.img')), { code: 'CONFIG_MISSING' })
  },
)

t.test('a base is what its maker signed, or it is not used', async (t) => {
  const { from, out, nothingLeft } = await folders(t)
  const image = await cardImage(from, 'pc.img', gpt(), gptFats)
  const { privatePem, publicText } = makeKeys()
  const publicKey = join(from, 'key.pub')
  await writeFile(publicKey, publicText)
  const prepare = (key = publicKey) => prepareHandover({ ...place, folder: out, count: 1, image, publicKey: key })
  await t.rejects(prepare(), { code: 'IMAGE_UNSIGNED', message: /there is no/ })
  await writeFile(`${image}.minisig`, await signFile(image, privatePem, 'file:pc.img'))
  await (await prepare()).close()
  const other = join(from, 'other.pub')
  await writeFile(other, makeKeys().publicText)
  await t.rejects(prepare(other), { code: 'IMAGE_ALTERED', message: /signed by key/ })
  await writeFile(`${image}.minisig`, await signFile(image, privatePem, 'file:newer.img'))
  await t.rejects(prepare(), { code: 'IMAGE_ALTERED', message: /is called newer\.img/ })
  await writeFile(`${image}.minisig`, await signFile(image, privatePem, 'file:pc.img'))
  await flipByte(image, 30 * 2 ** 20)
  await t.rejects(prepare(), { code: 'IMAGE_ALTERED', message: /not what was signed/ })
  await nothingLeft()
})

t.test('a full place for the file, or a missing program, ends it in words', async (t) => {
  const { from, out, work, nothingLeft } = await folders(t)
  const image = await cardImage(from, 'pc.img', gpt(), gptFats)
  t.equal((await openBase(image, { work })).arch, 'amd64')
  // A cp that finds the disk full, as coreutils say it.
  const bin = join(from, 'bin')
  await mkdir(bin)
  await writeFile(
    join(bin, 'cp'),
    `#!/bin/sh\nhead -c 9 "$4" > "$5"\necho "cp: error writing '$5': No space left on device" >&2\nexit 1\n`,
  )
  await chmod(join(bin, 'cp'), 0o755)
  const { PATH } = process.env
  process.env.PATH = `${bin}:${PATH}`
  t.teardown(() => {
    process.env.PATH = PATH
  })
  await t.rejects(prepareHandover({ ...place, folder: out, count: 2, image }), { code: 'DISK_FULL' })
  await nothingLeft()
  process.env.PATH = bin
  const why = { code: 'COMMAND_FAILED', message: /`zstd` failed: it is not here/, next: /apt-get install zstd/ }
  await writeFile(join(from, 'x.zst'), Buffer.from('28b52ffd0000', 'hex'))
  await t.rejects(prepareHandover({ ...place, folder: out, count: 1, image: join(from, 'x.zst') }), why)
  await nothingLeft()
})
