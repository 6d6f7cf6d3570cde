import { Resolver } from 'node:dns/promises'
import { ipv4 } from '../../shared/schemas/common.ts'

/** Host names of addresses, by address; those without one are missing. */
export type FindNames = (ips: readonly string[], resolvers: readonly string[]) => Promise<Map<string, string[]>>

const timeoutMs = 1_000
const atOnce = 16
/** Resolvers that answer none of the first questions are asked no more: a dead one must not hold up the scan. */
const patience = 4

/** Reverse DNS at the resolvers of the appliance. */
export const reverseDns: FindNames = async (ips, resolvers) => {
  const names = new Map<string, string[]>()
  const servers = resolvers.filter((one) => ipv4.safeParse(one).success)
  if (servers.length === 0) return names
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 })
  resolver.setServers(servers)
  const waiting = [...ips]
  let silences = 0
  const ask = async (): Promise<void> => {
    for (let ip = waiting.shift(); ip !== undefined && silences < patience; ip = waiting.shift()) {
      try {
        names.set(ip, (await resolver.reverse(ip)).filter((name) => name.length <= 253).slice(0, 4))
        silences = 0
      } catch (error) {
        // "Not found" is an answer; a silent or refusing resolver is none.
        if ((error as NodeJS.ErrnoException).code !== 'ENOTFOUND') silences += 1
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, ask))
  return names
}
