import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Check, type Outcome, usualMs, worstOf } from './check.ts'
import { ask } from './programs.ts'

/**
 * What one disk or card tells. `life`: tenths of its writes that are used up, 11 for more than all (JEDEC eMMC 5.0,
 * DEVICE_LIFE_TIME_EST). `reserve`: 1 well, 2 most of the spare blocks are used, 3 nearly all (PRE_EOL_INFO).
 */
export type Disk = { name: string; life?: number; reserve?: number; errors?: number; failing?: boolean }

const [wornLife, deadLife] = [9, 11]

export const storage: Check = {
  name: 'storage',
  withinMs: usualMs,
  async run({ root, stateDir }, signal) {
    const mount = mountOf(await read(join(root, '/proc/self/mounts')), resolve(stateDir))
    const disks = await readDisks(join(root, '/sys'))
    const asked = disks.map(async (disk) => ({ ...disk, ...(await smart(disk.name, signal)) }))
    return judgeStorage(mount, await Promise.all(asked))
  },
}

export function judgeStorage(mount: Mount | undefined, disks: readonly Disk[]): Outcome {
  if (mount?.readOnly)
    return {
      ok: false,
      detail: `${mount.device} can be read only: the system stopped writing to it, as it does after errors`,
      next: 'Replace the memory card or disk: it is likely to be dying.',
    }
  if (disks.length === 0) return { ok: true, detail: 'no card or disk here tells of its health' }
  return worstOf(disks.map(judgeDisk))
}

function judgeDisk({ name, life = 0, reserve = 0, errors = 0, failing = false }: Disk): Outcome {
  const replace = 'Have the card or disk replaced soon.'
  if (failing) return { ok: false, detail: `${name} says of itself that it is failing`, next: 'Replace this disk now.' }
  if (life >= deadLife || reserve >= 3)
    return { ok: false, detail: `the card ${name} is worn out`, next: 'Replace this card now.' }
  if (errors > 0)
    return {
      ok: false,
      detail: `${errors} errors were found in what is stored on ${name}; were they there before, it is likely to be dying`,
      next: 'Restart the box, which mends them.',
    }
  if (life >= wornLife || reserve === 2)
    return {
      ok: true,
      detail: `the card ${name} is nearly worn out${life > 0 ? ` (${life * 10} %)` : ''}`,
      next: replace,
    }
  return { ok: true, detail: `${name} is well${life > 0 ? `, up to ${life * 10} % worn` : ''}` }
}

export type Mount = { device: string; folder: string; readOnly: boolean }

/** The mount that holds `path`, from /proc/self/mounts; the last one of a folder is the one that is seen. */
export function mountOf(text: string, path: string): Mount | undefined {
  let best: Mount | undefined
  for (const line of text.split('\n')) {
    const [device = '', escaped = '', , options = ''] = line.split(' ')
    const folder = escaped.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    if (folder === '' || !(folder === '/' || path === folder || path.startsWith(`${folder}/`))) continue
    if (best === undefined || folder.length >= best.folder.length)
      best = { device, folder, readOnly: options.split(',').includes('ro') }
  }
  return best
}

async function readDisks(sys: string): Promise<Disk[]> {
  const disks = new Map<string, Disk>()
  const names = await readdir(join(sys, 'block')).catch(() => [])
  for (const name of names.filter((one) => /^(mmcblk\d+|sd[a-z]+|nvme\d+n\d+)$/.test(one))) {
    const device = join(sys, 'block', name, 'device')
    const lives = (await read(join(device, 'life_time')))
      .split(/\s+/)
      .map(Number)
      .filter((value) => value > 0)
    const reserve = Number(await read(join(device, 'pre_eol_info')))
    disks.set(name, { name, ...(lives.length > 0 && { life: Math.max(...lives) }), ...(reserve > 0 && { reserve }) })
  }
  for (const name of await readdir(join(sys, 'fs/ext4')).catch(() => [])) {
    const text = await read(join(sys, 'fs/ext4', name, 'errors_count'))
    if (text === '') continue
    // mmcblk0p2 is on mmcblk0, sda1 on sda; what is on no such disk stands for itself.
    const on = [...disks.keys()].find((disk) => name.startsWith(disk)) ?? name
    const disk = disks.get(on) ?? { name: on }
    disks.set(on, { ...disk, errors: (disk.errors ?? 0) + Number(text) })
  }
  return [...disks.values()]
}

/** What smartmontools say, where they are there and the disk speaks that way. */
async function smart(name: string, signal: AbortSignal): Promise<{ failing?: boolean }> {
  if (!/^(sd|nvme)/.test(name)) return {}
  const said = await ask('smartctl', ['-H', '-j', `/dev/${name}`], signal).catch(() => undefined)
  return said === undefined ? {} : { failing: smartFailing(said.out) }
}

export function smartFailing(printed: string): boolean {
  try {
    return JSON.parse(printed).smart_status?.passed === false
  } catch {
    return false
  }
}

const read = (file: string): Promise<string> =>
  readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
