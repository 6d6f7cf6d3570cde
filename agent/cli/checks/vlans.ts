import { connectedCards } from './cable.ts'
import { type Check, type Outcome, worstOf } from './check.ts'
import { ask } from './programs.ts'

/** Switches tell of themselves (STP) every two seconds; most networks with several hosts say something in five. */
const listenMs = 5000
const mostFrames = 2000

export const vlans: Check = {
  name: 'VLANs',
  roles: ['decoys'],
  rests: ['cable', 'rights', 'programs'],
  withinMs: 8000,
  async run(context, signal) {
    // Without an address too: that all of a line is tagged is a reason to have none.
    const cards = await connectedCards(context)
    if (cards.length === 0)
      return { ok: false, detail: 'cannot be heard without a cable', next: 'Mend the cable first.' }
    return worstOf(await Promise.all(cards.map(async (name) => judgeVlans(name, await heardOn(name, signal)))))
  },
}

/** Numbers of the networks that share the line, from what `tcpdump -e vlan` printed; 0 only gives a priority. */
export const vlansIn = (printed: string): number[] =>
  [...new Set([...printed.matchAll(/\bvlan (\d{1,4})\b/g)].map((found) => Number(found[1])))]
    .filter((number) => number > 0 && number < 4095)
    .sort((a, b) => a - b)

export function judgeVlans(nic: string, heard: readonly number[]): Outcome {
  if (heard.length === 0) return { ok: true, detail: `no tagged networks heard on ${nic} in ${listenMs / 1000} s` }
  const shown = heard.length > 12 ? `${heard.slice(0, 12).join(', ')} and ${heard.length - 12} more` : heard.join(', ')
  return {
    ok: true,
    detail: `${nic} carries tagged networks (VLAN ${shown}), which this box does not watch`,
    next: 'If it shall watch one of them, have the switch give this socket that VLAN untagged.',
  }
}

async function heardOn(nic: string, signal: AbortSignal): Promise<number[]> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(listenMs)])
  const argv = ['--immediate-mode', '-l', '-n', '-e', '-t', '-c', String(mostFrames), '-i', nic, 'vlan']
  const { code, out, err } = await ask('tcpdump', argv, over)
  if (code !== null && code !== 0) throw new Error(`tcpdump: ${err.trim().split('\n').at(-1)}`)
  return vlansIn(out)
}
