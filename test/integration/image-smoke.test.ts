import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { Architecture } from '../../provisioning/deb/architectures.ts'
import { makeDisk, squashRoot } from '../../provisioning/image/disk.ts'
import { tempFolder } from '../unit/spool/records.ts'

const epoch = 1_790_000_000
const enrolment = '{"marshlight":1}\n'
const broadcom = 'usr/lib/modules/6.12.0/dtb/broadcom'
const common = ['vmlinuz', 'initrd.img', 'usr/lib/marshlight/slots']
/** What a board's boot partition is made of, in a root without anything else. */
const holds: Record<Architecture, string[]> = {
  amd64: [
    ...common,
    'usr/lib/shim/shimx64.efi.signed',
    'usr/lib/shim/mmx64.efi.signed',
    'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed',
    'usr/lib/grub/i386-pc/boot.img',
  ],
  arm64: [
    ...common,
    ...['bootcode.bin', 'start.elf', 'fixup.dat', 'start4.elf', 'fixup4.dat'].map(
      (name) => `usr/lib/raspi-firmware/${name}`,
    ),
    'usr/lib/u-boot/rpi_arm64/u-boot.bin',
    'usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed',
    `${broadcom}/bcm2837-rpi-3-b.dtb`,
    `${broadcom}/bcm2712-d-rpi-5-b.dtb`,
    `${broadcom}/bcm4708-of-somebody-else.dtb`,
  ],
}
const booted: Record<Architecture, string[]> = {
  amd64: ['BOOTX64.EFI', 'mmx64.efi', 'grubx64.efi'].map((name) => `EFI/BOOT/${name}`),
  arm64: [
    ...['bootcode.bin', 'start.elf', 'fixup.dat', 'start4.elf', 'fixup4.dat', 'config.txt', 'u-boot.bin', 'uboot.env'],
    ...['bcm2837-rpi-3-b.dtb', 'bcm2712-d-rpi-5-b.dtb', 'bcm2712d0-rpi-5-b.dtb', 'EFI/BOOT/BOOTAA64.EFI'],
  ],
}
const onEach = ['A/vmlinuz', 'A/initrd.img', 'B/', 'EFI/debian/grub.cfg', 'grubenv']

function makeRoot(root: string, architecture: Architecture): void {
  for (const name of holds[architecture]) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), name.padEnd(512, ' '))
  }
  if (architecture !== 'amd64') return
  // GRUB's core is made by the root's own program: here by a shell, with what that is linked to.
  const linked = execFileSync('ldd', ['/bin/sh'], { encoding: 'utf8' })
  for (const path of ['/bin/sh', ...[...linked.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)]) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    copyFileSync(path, join(root, path))
  }
  const does = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\nprintf "%2048s" core > "$2"\n'
  writeFileSync(join(root, 'bin/grub-mkimage'), does, { mode: 0o755 })
}

/** The names in a FAT that begins at so many MiB. */
const listed = (disk: string, at: number): string[] =>
  execFileSync('mdir', ['-/', '-b', '-i', `${disk}@@${at}M`, '::'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.replace(/^::\//, ''))
    .filter(Boolean)

for (const architecture of ['amd64', 'arm64'] as const)
  t.test(`${architecture}: an image is put together, twice the same`, async (t) => {
    const folder = await tempFolder(t)
    const root = join(folder, 'root')
    makeRoot(root, architecture)
    const make = async (name: string) => {
      const work = join(folder, name)
      mkdirSync(work)
      const squash = await squashRoot({ root, work, epoch })
      const disk = join(folder, `${name}.img`)
      const partitions = await makeDisk(disk, squash, { architecture, root, work, epoch, enrolment })
      return { disk, squash, partitions }
    }
    const { disk, squash, partitions } = await make('one')
    const again = await make('two')
    execFileSync('cmp', [squash, again.squash])
    execFileSync('cmp', [disk, again.disk])
    rmSync(again.disk)
    execFileSync('sfdisk', ['--verify', disk])
    const files = listed(disk, 2)
    for (const name of [...booted[architecture], ...onEach])
      t.ok(files.includes(name), `${name} is on the boot partition`)
    t.notOk(files.some((name) => name.includes('somebody')))
    const slotA = partitions.find(({ name }) => name === 'marshlight-root-A')?.startMiB
    execFileSync('sh', [
      '-c',
      'tail -c +$(($2 * 1048576 + 1)) "$1" | head -c "$(stat -c %s "$3")" | cmp - "$3"',
      'sh',
      disk,
      `${slotA}`,
      squash,
    ])
    const data = partitions.find(({ name }) => name === 'marshlight-data')?.startMiB ?? 0
    const folders = execFileSync('debugfs', ['-R', 'ls -p /', `${disk}?offset=${data * 1048576}`], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    for (const [name, mode] of Object.entries({ agent: '700', docker: '700', containerd: '700', systemd: '755' }))
      t.match(folders, `/040${mode}/0/0/${name}/`, `${name} is root’s own`)
    t.same(listed(disk, 258), ['marshlight-enrol.json'])
    t.equal(execFileSync('mtype', ['-i', `${disk}@@258M`, '::marshlight-enrol.json'], { encoding: 'utf8' }), enrolment)
  })
