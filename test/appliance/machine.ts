import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Architecture } from '../../provisioning/deb/architectures.ts'
import { MarshlightError } from '../../shared/errors.ts'
import { type ArmFirmware, armArguments, armMissing, armQemu, isArm } from './arm-machine.ts'

export type Firmware = 'uefi' | 'secure' | 'bios' | ArmFirmware
export type MachineOptions = {
  disk: string
  firmware: Firmware
  /** A file for the firmware's variables, kept from start to start as a board does; made where it is not there. */
  variables: string
  /** The network namespace, and the tap in it, that its card is plugged into. */
  plug: { space: string; tap: string; mac: string }
  /** A file that is a stick in its USB. */
  stick?: string
  /** What its battery-backed clock says, where it is not the time. */
  clock?: string
  onLine?: (line: string) => void
}

export type Machine = {
  /** The next line of its serial console that fits; TIMEOUT, or the end of the machine, with its last lines. */
  says(pattern: RegExp, seconds: number): Promise<RegExpExecArray>
  /** Its mains plug is pulled. */
  cut(): Promise<void>
  /** Resolves with why when the machine ended; it restarts by itself until then. */
  ended: Promise<string>
  lastLines(): string
}

const qemu = 'qemu-system-x86_64'
const firmwareFolder = '/usr/share/OVMF'
const shownLines = 25
/** Code and variables; `secure` has the keys of Microsoft enrolled, as boards come, and refuses what is not signed. */
const firmwares = {
  uefi: ['OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'],
  secure: ['OVMF_CODE_4M.ms.fd', 'OVMF_VARS_4M.ms.fd'],
} as const

/** Without this register, which a host that is a machine of QEMU itself may refuse to have written. */
const hostProcessor = 'host,-arch-capabilities'

const probeMs = 4_000

/**
 * Whether this machine has KVM that works: the device may be there and refuse, or stop at the first instructions of what
 * it cannot map. So UEFI, which asks most of it, is started for a moment, without a disk.
 */
export function acceleration(): 'kvm' | 'tcg' {
  const bare = ['-nodefaults', '-display', 'none', '-machine', 'q35', '-m', '128', ...flashOf(firmwares.uefi[0])]
  const tried = spawnSync(qemu, ['-accel', 'kvm', '-cpu', hostProcessor, ...bare], {
    timeout: probeMs,
    encoding: 'utf8',
  })
  const runs = (tried.error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT'
  return runs && !tried.stderr.includes('internal error') ? 'kvm' : 'tcg'
}

const flashOf = (code: string) => ['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${firmwareFolder}/${code}`]

/** Throws what is missing on this machine to boot images. */
export function mustBoot(architecture: Architecture = 'amd64'): void {
  const missing =
    architecture === 'arm64'
      ? armMissing()
      : [
          ...(spawnSync(qemu, ['--version']).status === 0 ? [] : ['qemu-system-x86']),
          ...(existsSync(`${firmwareFolder}/OVMF_CODE_4M.fd`) ? [] : ['ovmf']),
        ]
  if (missing.length === 0) return
  throw new MarshlightError('COMMAND_FAILED', {
    command: 'booting an image',
    why: `these packages are missing: ${missing.join(' ')} (\`npm run setup -- --images\` brings them)`,
    next: 'Run `npm run setup -- --images`.',
  })
}

/** A machine with one disk and one card, the console on a serial line. */
export async function powerOn(o: MachineOptions): Promise<Machine> {
  const { firmware, plug, onLine } = o
  const program = isArm(firmware) ? armQemu : qemu
  const args = isArm(firmware) ? await armArguments(firmware, o) : await nucArguments(firmware, o)
  const child = spawn('ip', ['netns', 'exec', plug.space, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const ended = endOf(child)
  const out = createInterface({ input: child.stdout })
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text))
  out.on('line', (line) => {
    lines.push(line)
    onLine?.(line)
  })
  let seen = 0
  const lastLines = () => lines.slice(-shownLines).join('\n')
  return {
    ended,
    lastLines,
    says: (pattern, seconds) =>
      new Promise((resolve, reject) => {
        const stop = () => {
          clearTimeout(timer)
          out.off('line', look)
        }
        const fail = (why: string) => {
          stop()
          const next = `The console’s end:\n${lastLines()}`
          reject(new MarshlightError('TIMEOUT', { what: `${pattern} on the console (${why})`, seconds, next }))
        }
        const timer = setTimeout(() => fail('nothing'), seconds * 1000)
        function look(): void {
          while (seen < lines.length) {
            const match = pattern.exec(lines[seen++] ?? '')
            if (!match) continue
            stop()
            resolve(match)
            return
          }
        }
        out.on('line', look)
        look()
        void ended.then(fail)
      }),
    async cut() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A NUC as QEMU has it: two cores, 2 GB, one disk, one card, the watchdog of Intel's chips. */
async function nucArguments(
  firmware: Exclude<Firmware, ArmFirmware>,
  { disk, variables, plug, clock, stick }: MachineOptions,
): Promise<string[]> {
  const accelerated = acceleration()
  const args = ['-accel', accelerated === 'kvm' ? 'kvm' : 'tcg,thread=multi', '-smp', '2', '-m', '2048', '-nodefaults']
  args.push('-machine', `q35,smm=${firmware === 'secure' ? 'on' : 'off'}`, '-global', 'ICH9-LPC.noreboot=false')
  args.push('-cpu', accelerated === 'kvm' ? hostProcessor : 'max', '-display', 'none', '-serial', 'stdio')
  args.push('-drive', `file=${disk},format=raw,if=virtio,cache=writeback`, '-device', 'virtio-rng-pci')
  args.push('-netdev', `tap,id=n,ifname=${plug.tap},script=no,downscript=no`)
  args.push('-device', `virtio-net-pci,netdev=n,mac=${plug.mac}`)
  // Always there, as on a board: were it new with the stick, the disk would move to another place of the bus, where the
  // firmware's variables do not look for it.
  args.push('-device', 'qemu-xhci')
  if (stick !== undefined) {
    args.push('-drive', `if=none,id=stick,file=${stick},format=raw`)
    args.push('-device', 'usb-storage,drive=stick,removable=on')
  }
  if (clock !== undefined) args.push('-rtc', `base=${clock}`)
  if (firmware !== 'bios') {
    const [code, empty] = firmwares[firmware]
    if (!existsSync(variables)) await copyFile(`${firmwareFolder}/${empty}`, variables)
    if (firmware === 'secure') args.push('-global', 'driver=cfi.pflash01,property=secure,value=on')
    args.push(...flashOf(code), '-drive', `if=pflash,unit=1,format=raw,file=${variables}`)
  }
  return args
}

const endOf = (child: ChildProcess) =>
  new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(`the machine ended with ${code ?? signal}`))
  })
