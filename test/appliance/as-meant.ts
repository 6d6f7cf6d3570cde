import { patienceSeconds } from './first-boot.ts'
import type { Machine } from './machine.ts'
import type { Place } from './place.ts'
import { until } from './wait.ts'

/** Of the 8 GB of its card: the rest is boot, slots, and what the file system keeps for itself. */
const dataBytes = 5.5e9

/** A box that runs is what its image promises, as it says by SSH and as a neighbour sees it. Throws what is not so. */
export async function asMeant(
  { onBox, neighbourScans }: Place,
  { machine, hardened, tell }: { machine: Machine; hardened: boolean; tell: (line: string) => void },
): Promise<void> {
  let bytes = 0
  const asked = async () => {
    bytes = Number((await onBox('df', '-B1', '--output=size', '/data')).trim().split('\n').at(-1))
    return bytes > 0
  }
  await until(machine, 'it lets the key of its file in by SSH', asked, patienceSeconds)
  if (bytes < dataBytes) throw new Error(`its data partition has not grown: ${bytes} bytes`)
  tell(`           its data has grown to ${(bytes / 1e9).toFixed(1)} GB`)
  if (!hardened) return
  const watchdog = (await onBox('systemctl', 'show', '-P', 'RuntimeWatchdogUSec')).trim()
  if (!/^[1-9]/.test(watchdog)) throw new Error(`nobody watches systemd: ${watchdog}`)
  const root = (await onBox('passwd', '-S', 'root')).trim()
  if (!root.startsWith('root L ')) throw new Error(`root is not locked: ${root}`)
  const open = await neighbourScans()
  if (open.join() !== '22') throw new Error(`open to a neighbour are: ${open.join(' ')}; meant is 22`)
  tell(`           watched every ${watchdog}, root is locked, and a neighbour finds nothing open but SSH`)
}
