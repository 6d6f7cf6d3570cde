import { clientLists, kexInitOf, listsOf, SshClient } from './ssh-client.ts'
import type { Probe } from './ssh-probe.ts'
import { type Target, transcriptOf } from './ssh-transcript.ts'
import { message } from './ssh-wire.ts'

export type Compared = { name: string; real: string[]; other: string[]; equal: boolean }

async function each<T, R>(items: readonly T[], atATime: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const entries = items.entries()
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      for (const [at, item] of entries) results[at] = await work(item)
    }),
  )
  return results
}

/**
 * Does the same to both, at the same time. A probe that cannot be carried out on one is its answer there. `atATime`: how
 * many connections of one host the servers bear that have not logged in.
 */
export async function compareSsh(
  real: Target,
  other: Target,
  probes: readonly Probe[],
  atATime = 6,
): Promise<Compared[]> {
  const told = (target: Target) =>
    each(probes, atATime, (probe) => transcriptOf(probe, target).catch((error: Error) => [error.message]))
  const [ofReal, ofOther] = await Promise.all([told(real), told(other)])
  return probes.map(({ name }, i) => {
    const [one, two] = [ofReal[i] ?? [], ofOther[i] ?? []]
    return { name, real: one, other: two, equal: one.join('\n') === two.join('\n') }
  })
}

/** The ten name lists of a server's KEXINIT, in order, and its banner before them. */
export async function offerOf({ host, port }: Target): Promise<{ banner: string; lists: string[][] }> {
  const client = await SshClient.connect(host, port)
  try {
    const banner = (await client.line()).replace(/\r$/, '')
    client.raw(`${client.version}\r\n`)
    const theirs = await client.next()
    if (typeof theirs === 'string' || theirs[0] !== message.kexInit) throw new Error(`no KEXINIT from ${host}`)
    client.send(kexInitOf(clientLists()))
    return { banner, lists: listsOf(theirs) }
  } finally {
    client.close()
  }
}
