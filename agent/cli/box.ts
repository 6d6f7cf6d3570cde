import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { networkInterfaces, uptime } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { contains, networkOf } from '../../shared/network.ts'
import { type CardSeen, type ConsoleDeps, linkLocal } from '../console/index.ts'
import { nicFilter } from './cards.ts'
import { whoHas } from './checks/programs.ts'

/** Deadlines of what the console asks of the system. */
const [askMs, commandMs] = [6_000, 10_000]

/** This machine as the console needs it: its first card with a cable, else its first, and the tools on it. */
export function thisBox(nics: readonly string[]): Pick<ConsoleDeps, 'uptimeMs' | 'look' | 'ports' | 'ledFolder'> {
  return {
    uptimeMs: () => uptime() * 1000,
    look: () => lookAtCard(nicFilter(nics)),
    ports: {
      async whoHas(card, ip) {
        // A second card of this box in the same segment answers for it, and is no other.
        const own = new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ mac }) => mac)))
        const answered = await whoHas(card, ip, undefined, AbortSignal.timeout(askMs))
        return answered.filter((mac) => !own.has(mac))
      },
      ip: (...argv) => run('ip', ...argv),
    },
    ledFolder: '/sys/class/leds',
  }
}

/** Runs a program of the system; throws with what it printed. */
export async function run(command: string, ...argv: string[]): Promise<void> {
  try {
    await promisify(execFile)(command, argv, { timeout: commandMs })
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new Error(`${command}: ${stderr?.trim().split('\n')[0] || (error as Error).message}`, { cause: error })
  }
}

async function lookAtCard(counts: (name: string) => boolean, sys = '/sys/class/net'): Promise<CardSeen | undefined> {
  const read = (name: string, file: string) =>
    readFile(join(sys, name, file), 'utf8').then(
      (text) => text.trim(),
      () => '',
    )
  const cards: CardSeen[] = []
  for (const name of (await readdir(sys)).filter(counts).sort()) {
    // ARPHRD_ETHER of if_arp.h.
    if ((await read(name, 'type')) !== '1') continue
    const all = (networkInterfaces()[name] ?? []).filter(({ family }) => family === 'IPv4')
    const given = all.filter(({ address }) => !contains(linkLocal, address))
    const networks = given.map(({ address, netmask }) => networkOf(address, netmask))
    const signal = (await read(name, 'carrier')) === '1'
    cards.push({ name, mac: await read(name, 'address'), signal, address: given[0]?.address, networks })
  }
  // The one with an address first: of several with a cable it is the one that matters.
  return cards.find(({ address, signal }) => signal && address) ?? cards.find(({ signal }) => signal) ?? cards[0]
}
