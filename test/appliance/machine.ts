import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MarshlightError } from '../../shared/errors.ts'

export type Firmware = 'uefi' | 'bios'
export type MachineOptions = {
  disk: string
  firmware: Firmware
  /** For the firmware's variables. */
  folder: string
  onLine?: (line: string) => void
}

export type Machine = {
  /** The first line of its serial console that fits; TIMEOUT, or the end of the machine with its last lines. */
  says(pattern: RegExp, seconds: number): Promise<RegExpExecArray>
  kill(): Promise<void>
}

const firmwareFolder = '/usr/share/OVMF'
const lastLines = 25

/** Whether this machine has KVM that works: the device may be there and refuse. */
export function acceleration(): 'kvm' | 'tcg' {
  const tried = spawnSync(
    'qemu-system-x86_64',
    ['-accel', 'kvm', '-machine', 'none', '-nodefaults', '-display', 'none', '-S', '-monitor', 'stdio'],
    { input: 'quit\n', timeout: 10_000 },
  )
  return tried.status === 0 ? 'kvm' : 'tcg'
}

/** A NUC as QEMU has it: two cores, 2 GB, one disk, one card on a network that leads nowhere, the console on a serial line. */
export async function powerOn({ disk, firmware, folder, onLine }: MachineOptions): Promise<Machine> {
  const args = [
    '-accel',
    acceleration(),
    '-machine',
    'q35',
    '-smp',
    '2',
    '-m',
    '2048',
    '-nodefaults',
    '-display',
    'none',
  ]
  args.push('-cpu', acceleration() === 'kvm' ? 'host' : 'max', '-no-reboot', '-serial', 'stdio')
  args.push('-drive', `file=${disk},format=raw,if=virtio,cache=unsafe`)
  args.push('-netdev', 'user,id=n,restrict=on', '-device', 'virtio-net-pci,netdev=n', '-device', 'virtio-rng-pci')
  if (firmware === 'uefi') {
    const variables = join(folder, 'variables.fd')
    await copyFile(join(firmwareFolder, 'OVMF_VARS_4M.fd'), variables)
    args.push('-drive', `if=pflash,format=raw,readonly=on,file=${join(firmwareFolder, 'OVMF_CODE_4M.fd')}`)
    args.push('-drive', `if=pflash,format=raw,file=${variables}`)
  }
  const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const ended = endOf(child)
  const out = createInterface({ input: child.stdout })
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text))
  out.on('line', (line) => {
    lines.push(line)
    onLine?.(line)
  })
  return {
    says: (pattern, seconds) =>
      new Promise((resolve, reject) => {
        const tell = (why: string) =>
          reject(
            new MarshlightError('TIMEOUT', {
              what: `${pattern} on the console (${why})`,
              seconds,
              next: `The console’s end:\n${lines.slice(-lastLines).join('\n')}`,
            }),
          )
        const timer = setTimeout(() => tell('nothing'), seconds * 1000)
        const look = (line: string) => {
          const match = pattern.exec(line)
          if (!match) return
          clearTimeout(timer)
          out.off('line', look)
          resolve(match)
        }
        lines.forEach(look)
        out.on('line', look)
        void ended.then((why) => {
          clearTimeout(timer)
          tell(why)
        })
      }),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const endOf = (child: ChildProcess) =>
  new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(`the machine ended with ${code ?? signal}`))
  })
