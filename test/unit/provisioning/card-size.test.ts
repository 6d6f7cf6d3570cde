import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cardLayout, cardScript } from '../../../provisioning/image/card.ts'
import { diskMiB, layout, sfdiskScript } from '../../../provisioning/image/layout.ts'

const mib = 2 ** 20
const rootBytes = 700 * mib
const skip = spawnSync('sfdisk', ['--version']).error ? 'this machine has no sfdisk' : false

/** The image's table on a card of so many MiB, as kernel and udev show it to the image's programs. */
function card(t: Test, architecture: 'amd64' | 'arm64', sizeMiB: number) {
  const partitions = architecture === 'amd64' ? layout(rootBytes) : cardLayout(rootBytes)
  const script = (architecture === 'amd64' ? sfdiskScript : cardScript)(partitions)
  const folder = t.testdir({ dev: { disk: { 'by-partlabel': {} }, sdx: '' }, sys: { class: { block: {} } }, bin: {} })
  const disk = join(folder, 'dev/sdx')
  truncateSync(disk, diskMiB(partitions) * mib)
  execFileSync('sfdisk', ['--quiet', disk], { input: script })
  truncateSync(disk, sizeMiB * mib)
  const sectors = sizeMiB * 2048
  for (const [number, name] of [
    [1, 'boot'],
    [4, 'data'],
  ] as const) {
    const { startMiB = 0, sizeMiB: wanted = 0 } = partitions.find((one) => one.name === `marshlight-${name}`) ?? {}
    const part = join(folder, `sys/devices/sdx/sdx${number}`)
    mkdirSync(part, { recursive: true })
    // As Linux does with what ends behind the card.
    const size = Math.min(wanted * 2048, sectors - startMiB * 2048)
    for (const [file, value] of Object.entries({ start: startMiB * 2048, size, partition: number }))
      writeFileSync(join(part, file), `${value}\n`)
    symlinkSync(part, join(folder, `sys/class/block/sdx${number}`))
    writeFileSync(join(folder, `dev/sdx${number}`), '')
    symlinkSync(`../../sdx${number}`, join(folder, `dev/disk/by-partlabel/marshlight-${name}`))
  }
  writeFileSync(join(folder, 'sys/devices/sdx/size'), `${sectors}\n`)
  symlinkSync(join(folder, 'sys/devices/sdx'), join(folder, 'sys/class/block/sdx'))
  const program = (name: string, does: string) => {
    writeFileSync(join(folder, 'bin', name), does, { mode: 0o755 })
    return join(folder, 'bin', name)
  }
  const here = (name: string) => {
    const text = readFileSync(join(import.meta.dirname, '../../../provisioning/image/files', name), 'utf8')
    return text
      .replaceAll('/dev/', `${folder}/dev/`)
      .replaceAll('/sys/', `${folder}/sys/`)
      .replaceAll('/usr/lib/marshlight/', `${folder}/bin/`)
      .replaceAll(`${folder}/dev/null`, '/dev/null')
  }
  for (const name of ['too-small', 'cannot-start']) program(name, here(name))
  for (const name of ['mountpoint', 'sfdisk', 'partx', 'udevadm'])
    program(name, `#!/bin/sh\necho ${name} >> ${folder}/asked\nexit 1\n`)
  for (const name of ['sleep', 'systemctl', 'reboot']) program(name, '#!/bin/sh\n')
  const env = { PATH: `${folder}/bin:${process.env.PATH}` }
  const shown = (name: string) => {
    writeFileSync(join(folder, 'dev/tty1'), '')
    execFileSync('sh', ['-c', here(name)], { env })
    return readFileSync(join(folder, 'dev/tty1'), 'utf8')
  }
  return {
    wholeMiB: diskMiB(partitions),
    noWayOn: () => shown('no-way-on'),
    initramfs: () => shown('initramfs-too-small'),
    grow: () => spawnSync('sh', ['-c', here('grow')], { env, encoding: 'utf8' }),
    asked: () => readFileSync(join(folder, 'asked'), 'utf8'),
  }
}

for (const architecture of ['amd64', 'arm64'] as const)
  t.test(`${architecture}: a card that ends within the data partition is told to be too small`, { skip }, async (t) => {
    const { wholeMiB } = card(t, architecture, 4096)
    const gb = Math.ceil((wholeMiB * mib) / 1e9)
    const small = card(t, architecture, wholeMiB - 100)
    const words = new RegExp(
      `this card is too small: ${gb} GB are needed, it has ${gb - 1}\\. Write the image to a larger`,
    )
    t.match(small.noWayOn(), words)
    // Where Linux takes no partition at all.
    if (architecture === 'amd64') t.match(small.initramfs(), words)
    t.match(small.grow(), { status: 1, stderr: /^grow: this card is too small/ })
    t.throws(small.asked, 'nothing was written to it')
    const whole = card(t, architecture, wholeMiB)
    t.match(whole.noWayOn(), /the card may be failing/)
    t.equal(whole.initramfs(), '', 'and the initramfs waits on')
    t.equal(whole.grow().status, 0)
    const large = card(t, architecture, wholeMiB + 900)
    t.match(large.noWayOn(), /the card may be failing/)
    large.grow()
    t.match(large.asked(), /sfdisk/, 'there it grows')
  })
