import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { devicesIn, type Found, lookFor } from '../../../agent/first-boot/places.ts'
import { enrolmentFileName } from '../../../shared/schemas/enrolment-file.ts'
import { tempFolder } from '../spool/records.ts'

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

/** A disk without partitions, as real tools make and fill it. */
async function disk(t: Test, bits: 12 | 16 | 32, files: Record<string, string>) {
  const folder = await tempFolder(t)
  const image = join(folder, 'disk')
  closeSync(openSync(image, 'w'))
  truncateSync(image, { 12: 2, 16: 16, 32: 40 }[bits] << 20)
  execFileSync('mkfs.vfat', ['-F', String(bits), '-s', '1', '-n', 'MARSHLIGHT', image], { env, stdio: 'pipe' })
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, 'file'), text)
    execFileSync('mcopy', ['-o', '-i', image, join(folder, 'file'), `::${name}`], { env })
  }
  for (const [name, text] of Object.entries(files)) put(name, text)
  const type = (name: string) => execFileSync('mtype', ['-i', image, `::${name}`], { env, encoding: 'utf8' })
  const remove = (name: string) => execFileSync('mdel', ['-i', image, `::${name}`], { env })
  return { image, put, type, remove, look: () => lookFor([{ path: image, where: 'the card' }]) }
}

for (const bits of [12, 16, 32] as const)
  t.test(`FAT${bits}: found among others, in pieces, and overwritten where it lies`, async (t) => {
    const secret = `ml1.${'s3cret'.repeat(400)}`
    const text = `{"claim":"${secret}","city":"Köln"}`
    const filler = 'x'.repeat(3000)
    const { image, put, type, remove, look } = await disk(t, bits, {
      'a.txt': filler,
      'b.txt': filler,
      'c.txt': filler,
    })
    // Holes of six sectors and more: the file does not fit into the first one.
    remove('a.txt')
    remove('c.txt')
    put('Marshlight-Enrol.JSON', text)
    put('another file beside it.json', '{}')
    const [found] = (await look()) as [Found]
    t.equal(found.text, text)
    await found.overwrite('{"claimed":true}')
    t.equal(type(enrolmentFileName).trim(), '{"claimed":true}')
    t.equal(type(enrolmentFileName).length, Buffer.byteLength(text), 'its length is as it was')
    t.notOk(readFileSync(image).includes('s3crets3cret'), 'the secret is nowhere on the disk')
    t.equal(type('b.txt'), filler, 'nothing else was touched')
  })

t.test('another stick that is in its place by then is not written to', async (t) => {
  const one = await disk(t, 16, { [enrolmentFileName]: '{"claim":"ml1.a"}' })
  const [found] = (await one.look()) as [Found]
  one.put(enrolmentFileName, '{"claim":"ml1.b"}')
  await found.overwrite('{}')
  t.equal(one.type(enrolmentFileName), '{"claim":"ml1.b"}')
})

t.test('no FAT, no file, a file too long, and file systems that contradict themselves', async (t) => {
  const none = await disk(t, 16, { 'readme.txt': 'hello' })
  t.same(await none.look(), [])
  const long = await disk(t, 16, { [enrolmentFileName]: ' '.repeat(70_000) })
  t.match(await long.look(), [{ code: 'ENROLMENT_FILE_INVALID', message: /more than 64 KiB/ }])
  writeFileSync(none.image, Buffer.alloc(1 << 20, 0xff))
  t.same(await none.look(), [], 'no FAT')
  t.same(await lookFor([{ path: '/nowhere', where: 'x' }]), [])

  const good = await disk(t, 16, { [enrolmentFileName]: `{"claim":"${'x'.repeat(2000)}"}` })
  const bytes = readFileSync(good.image)
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed % below
  }
  for (let round = 0; round < 300; round++) {
    const at = random(40_000)
    const fd = openSync(good.image, 'r+')
    writeSync(fd, Buffer.from([random(256)]), 0, 1, at)
    const answered = await good.look()
    t.ok(answered.length <= 1)
    writeSync(fd, bytes, at, 1, at)
    closeSync(fd)
  }
  truncateSync(good.image, 20_000)
  t.ok((await good.look()).length <= 1, 'cut off')
})

t.test('partitions of cards and sticks, sticks last', async (t) => {
  const root = await tempFolder(t)
  const names = { sda: '1', sda1: '', mmcblk0: '0', mmcblk0p1: '', loop0: '0', 'dm-0': '0', zram0: '0', nvme0n1p2: '' }
  for (const [name, removable] of Object.entries(names)) {
    await mkdir(join(root, 'sys/class/block', name), { recursive: true })
    if (removable) writeFileSync(join(root, 'sys/class/block', name, 'removable'), removable)
  }
  t.same(
    (await devicesIn(root)).map(({ where }) => where),
    [
      'the card (mmcblk0)',
      'the card (mmcblk0p1)',
      'the card (nvme0n1p2)',
      'the USB stick (sda)',
      'the USB stick (sda1)',
    ],
  )
})
