import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nicFilter } from '../cards.ts'
import { type Check, type CheckContext, type Outcome, usualMs, worstOf } from './check.ts'

/** A network card as /sys/class/net tells it. `mbit`: undefined where the card tells none. */
export type Plug = { name: string; up: boolean; signal: boolean; wireless: boolean; mbit?: number; half: boolean }

/** ARPHRD_ETHER of if_arp.h: neither loopback nor a tunnel. */
const ethernet = '1'
const slowMbit = 100

export const cable: Check = {
  name: 'cable',
  roles: ['decoys'],
  withinMs: usualMs,
  async run({ config, root }) {
    return judgePlugs(await readPlugs(join(root, '/sys/class/net'), nicFilter(config.nics)), config.nics)
  },
}

/** Names of the cards at whose other end something is, with an address or without. */
export const connectedCards = async ({ config, root }: CheckContext): Promise<string[]> =>
  (await readPlugs(join(root, '/sys/class/net'), nicFilter(config.nics)))
    .filter((plug) => plug.signal)
    .map(({ name }) => name)

export function judgePlugs(plugs: readonly Plug[], named: readonly string[]): Outcome {
  const missing = named.find((name) => !plugs.some((plug) => plug.name === name))
  if (missing !== undefined)
    return {
      ok: false,
      detail: `this box has no network card ${missing}, which its settings name`,
      next: 'Name a card that it has as `nics` in agent.json (`ip link` lists them).',
    }
  if (plugs.length === 0)
    return {
      ok: false,
      detail: 'this box has no network card that it can use',
      next: 'Plug in a USB network adapter.',
    }
  const outcomes = plugs.map(judgePlug)
  // An unused second socket is no fault, unless it was named.
  if (named.length === 0 && plugs.some(({ signal }) => signal)) return worstOf(outcomes.filter(({ ok }) => ok))
  return worstOf(outcomes)
}

function judgePlug({ name, up, signal, wireless, mbit, half }: Plug): Outcome {
  if (!up)
    return {
      ok: false,
      detail: `${name} is switched off in this box`,
      next: `Switch it on: \`ip link set ${name} up\`.`,
    }
  if (!signal)
    return wireless
      ? {
          ok: false,
          detail: `${name} is not joined to any Wi-Fi`,
          next: 'Use a cable: this box needs one to do its work.',
        }
      : {
          ok: false,
          detail: `no signal on ${name}: nothing is connected, or the other end is off`,
          next: 'Push the cable in at both ends until it clicks and its lights come on.',
        }
  const speed = mbit === undefined ? '' : `, ${mbit} Mbit/s`
  if (wireless)
    return {
      ok: true,
      detail: `${name} is on Wi-Fi, where access points let only one address through`,
      next: 'Use a cable instead.',
    }
  if (half || (mbit !== undefined && mbit < slowMbit))
    return {
      ok: true,
      detail: `${name} is connected, but slowly${speed}${half ? ', half duplex' : ''}`,
      next: 'Try another cable, then another socket of the switch.',
    }
  return { ok: true, detail: `${name} is connected${speed}` }
}

async function readPlugs(folder: string, counts: (name: string) => boolean): Promise<Plug[]> {
  const names = (await readdir(folder)).filter(counts).sort()
  const plugs = await Promise.all(names.map((name) => readPlug(join(folder, name), name)))
  return plugs.filter((plug) => plug !== undefined)
}

async function readPlug(folder: string, name: string): Promise<Plug | undefined> {
  // Of a card that is switched off the kernel refuses to read most of these (EINVAL).
  const read = (file: string) =>
    readFile(join(folder, file), 'utf8').then(
      (text) => text.trim(),
      () => '',
    )
  const [type, flags, carrier, speed, duplex] = await Promise.all(
    ['type', 'flags', 'carrier', 'speed', 'duplex'].map(read),
  )
  if (type !== ethernet) return undefined
  const wireless = (await readdir(folder)).some((file) => file === 'wireless' || file === 'phy80211')
  const mbit = Number(speed)
  return {
    name,
    // IFF_UP of if.h.
    up: (Number(flags) & 1) === 1,
    signal: carrier === '1',
    wireless,
    ...(speed !== '' && mbit > 0 && { mbit }),
    half: duplex === 'half',
  }
}
