import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nicFilter } from '../cards.ts'
import { connectedCards } from './cable.ts'
import { type Check, type Outcome, usualMs, worstOf } from './check.ts'
import { ask } from './programs.ts'

/** Switches tell of themselves (STP) every two seconds; most networks with several hosts say something in five. */
const listenMs = 5000
const mostFrames = 2000

export const vlans: Check = {
  name: 'VLANs',
  roles: ['decoys'],
  rests: ['cable', 'rights', 'programs'],
  withinMs: usualMs,
  async run(context, signal) {
    // Without an address too: that all of a line is tagged is a reason to have none.
    const cards = await connectedCards(context)
    if (cards.length === 0)
      return { ok: false, detail: 'cannot be heard without a cable', next: 'Mend the cable first.' }
    const counts = nicFilter(context.config.nics)
    // Without the kernel's part for VLANs there is no such file.
    const table = await readFile(join(context.root, '/proc/net/vlan/config'), 'utf8').catch(() => '')
    const own = ownVlans(table).filter(({ name }) => counts(name))
    const judged = cards.map(async (card) => {
      const watched = own.filter(({ on }) => on === card).map(({ tag }) => tag)
      return judgeVlans(card, await heardOn(card, signal), watched)
    })
    return worstOf(await Promise.all(judged))
  },
}

/** Numbers of the networks that share the line, from what `tcpdump -e vlan` printed; 0 only gives a priority. */
export const vlansIn = (printed: string): number[] =>
  [...new Set([...printed.matchAll(/\bvlan (\d{1,4})\b/g)].map((found) => Number(found[1])))]
    .filter((number) => number > 0 && number < 4095)
    .sort((a, b) => a - b)

/** This box's cards for one VLAN each, `on` the card whose line it is on: rows of /proc/net/vlan/config, `NAME | TAG | CARD`. */
export const ownVlans = (table: string): { name: string; tag: number; on: string }[] =>
  [...table.matchAll(/^(\S+) *\| *(\d+) *\| *(\S+)$/gm)].map(([, name = '', tag, on = '']) => ({
    ...{ name, tag: Number(tag), on },
  }))

/** `watched`: for which this box has a card of its own on this one. */
export function judgeVlans(nic: string, heard: readonly number[], watched: readonly number[]): Outcome {
  if (heard.length === 0) return { ok: true, detail: `no tagged networks heard on ${nic} in ${listenMs / 1000} s` }
  const others = heard.filter((tag) => !watched.includes(tag))
  if (others.length === 0) return { ok: true, detail: `${nic} carries VLAN ${shown(heard)}, which this box watches` }
  return {
    ok: true,
    detail: `${nic} carries tagged networks (VLAN ${shown(others)}), which this box does not watch`,
    next: 'If it shall watch one of them, have the switch give this socket that VLAN untagged.',
  }
}

const shown = (tags: readonly number[]): string =>
  tags.length > 12 ? `${tags.slice(0, 12).join(', ')} and ${tags.length - 12} more` : tags.join(', ')

async function heardOn(nic: string, signal: AbortSignal): Promise<number[]> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(listenMs)])
  const argv = ['--immediate-mode', '-l', '-n', '-e', '-t', '-c', String(mostFrames), '-i', nic, 'vlan']
  const { code, out, err } = await ask('tcpdump', argv, over)
  if (code !== null && code !== 0) throw new Error(`tcpdump: ${err.trim().split('\n').at(-1)}`)
  return vlansIn(out)
}
