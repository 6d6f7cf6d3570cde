#!/usr/bin/env node
import { mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../../provisioning/build/command.ts'
import { wordsOf } from '../../shared/errors.ts'
import { acceleration, type Firmware, powerOn } from './machine.ts'

/** A card larger than the image, as every real one is. */
const cardBytes = 6 * 2 ** 30
const withinSeconds = 600

/** Boots an image as `marshlight image build` makes it, unattended, up to what it says at its first boot: boot.ts IMAGE [uefi|bios] [--console] */
async function boot(image: string, firmware: Firmware, console_: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'appliance-'))
  try {
    const disk = join(folder, 'disk.img')
    await command('zstd', ['-q', '-d', '--sparse', image, '-o', disk])
    await truncate(disk, cardBytes)
    const begun = performance.now()
    const onLine = (line: string) => console_ && process.stderr.write(`${line}\n`)
    const machine = await powerOn({ disk, firmware, folder, onLine })
    try {
      const [, told = ''] = await machine.says(/MARSHLIGHT-FIRST-BOOT (.*)/, withinSeconds)
      const seconds = Math.round((performance.now() - begun) / 1000)
      const figures = Object.fromEntries(
        told
          .trim()
          .split(' ')
          .map((pair) => pair.split(/=(.*)/).slice(0, 2)),
      )
      return { firmware, acceleration: acceleration(), seconds, ...figures }
    } finally {
      await machine.kill()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const [image, firmware = 'uefi'] = process.argv.slice(2).filter((word) => !word.startsWith('--'))
try {
  if (!image || !['uefi', 'bios'].includes(firmware)) throw new Error('usage: boot.ts IMAGE [uefi|bios] [--console]')
  const told = await boot(image, firmware as Firmware, process.argv.includes('--console'))
  console.log(JSON.stringify(told, undefined, 2))
} catch (error) {
  console.error(`${wordsOf(error)}\n${error instanceof Error && 'next' in error ? error.next : ''}`)
  process.exitCode = 1
}
