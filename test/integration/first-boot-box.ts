import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FirstBootDeps, firstBoot, lookFor, type Progress } from '../../agent/first-boot/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { silentLog } from '../../shared/log.ts'
import { enrolmentFileName } from '../../shared/schemas/enrolment-file.ts'

/** A box made of a folder: its state, the kernel's files it reads, and a FAT file system that real tools made. */
export type Box = { folder: string; stateDir: string; root: string; card: string }

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

export function makeBox(folder: string, file?: string): Box {
  const box = { folder, stateDir: join(folder, 'state'), root: join(folder, 'root'), card: join(folder, 'card') }
  for (const inside of ['sys/class/net/eth0/device', 'proc/sys/kernel'])
    mkdirSync(join(box.root, inside), { recursive: true })
  writeFileSync(join(box.root, 'sys/class/net/eth0/type'), '1\n')
  writeFileSync(join(box.root, 'proc/sys/kernel/hostname'), 'marshlight\n')
  closeSync(openSync(box.card, 'w'))
  truncateSync(box.card, 1 << 20)
  execFileSync('mkfs.vfat', ['-n', 'MARSHLIGHT', box.card], { env, stdio: 'pipe' })
  if (file !== undefined) put(box, file)
  return box
}

export function put(box: Box, file: string): void {
  writeFileSync(join(box.folder, 'file'), file)
  execFileSync('mcopy', ['-o', '-i', box.card, join(box.folder, 'file'), `::${enrolmentFileName}`], { env })
}

export const onCard = ({ card }: Box): string =>
  execFileSync('mtype', ['-i', card, `::${enrolmentFileName}`], { env, encoding: 'utf8' })

/** Whether these bytes are anywhere on the card, in a file or in what is free. */
export const cardHas = ({ card }: Box, bytes: string): boolean => readFileSync(card).includes(bytes)

/** `at`: called at each point where power may go; what it throws or never answers ends all. */
export function boot(box: Box, some: Partial<FirstBootDeps> & { at?: (point: string) => Promise<void> } = {}) {
  const { at = async () => {}, ...given } = some
  const told: Progress[] = []
  const commands: string[] = []
  const ended = firstBoot({
    stateDir: box.stateDir,
    root: box.root,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    version: '0',
    signal: new AbortController().signal,
    built: Date.parse('2026-01-01'),
    async look() {
      await at('look')
      const found = await lookFor([{ path: box.card, where: 'the card' }])
      return found.map((one) =>
        'overwrite' in one
          ? {
              ...one,
              async overwrite(text: string) {
                await at('before the overwriting')
                await one.overwrite(text)
                await at('after the overwriting')
              },
            }
          : one,
      )
    },
    async command(...words) {
      await at(words.join(' '))
      commands.push(words.join(' '))
    },
    async isSynchronized() {
      await at('asking for the time')
      return false
    },
    setClock: async () => {},
    tell: (progress) => void told.push(progress),
    ...given,
  })
  return { ended, told, commands }
}
