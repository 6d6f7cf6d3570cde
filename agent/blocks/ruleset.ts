import { type Interval, rangeText } from './intervals.ts'
import type { Step } from './plan.ts'

export type Role = 'decoys' | 'enforcer'

/** Name of our tables and of the set in them. Everything of ours in nftables stands below it. */
export const tableName = 'marshlight'
export const setName = 'blocked'

export const familyOf = (role: Role): 'netdev' | 'inet' => (role === 'decoys' ? 'netdev' : 'inet')

type Chain = { name: string; definition: string; rules: string[] }

/**
 * decoys: a chain on each card's ingress hook. It lies before the macvlan handler, so a decoy's packets pass it too.
 * enforcer: on the forward path before connection tracking can wave an open connection through, and to the gateway itself.
 */
export function chainsOf(role: Role, nics: readonly string[]): Chain[] {
  if (role === 'decoys')
    return nics.map((nic) => ({
      name: chainOf(nic),
      definition: `type filter hook ingress device "${nic}" priority -500; policy accept;`,
      rules: [`ip saddr @${setName} drop`, `arp saddr ip @${setName} drop`],
    }))
  return [
    {
      name: 'forward',
      definition: 'type filter hook forward priority -310; policy accept;',
      rules: [`ip saddr @${setName} drop`, `ip daddr @${setName} drop`],
    },
    {
      name: 'input',
      definition: 'type filter hook input priority -310; policy accept;',
      rules: [`ip saddr @${setName} drop`],
    },
  ]
}

const chainOf = (nic: string): string => `in_${nic.replace(/\W/g, '_')}`

/** Table, set and chains as they shall be; the rules are written anew each time, which in one transaction no packet sees. */
export function skeleton(role: Role, nics: readonly string[]): string {
  const at = `${familyOf(role)} ${tableName}`
  const lines = [`add table ${at}`, `add set ${at} ${setName} { type ipv4_addr; flags interval,timeout; }`]
  for (const { name, definition, rules } of chainsOf(role, nics)) {
    lines.push(`add chain ${at} ${name} { ${definition} }`, `flush chain ${at} ${name}`)
    for (const rule of rules) lines.push(`add rule ${at} ${name} ${rule}`)
  }
  return `${lines.join('\n')}\n`
}

/** The steps as one transaction. Every deletion adds first: the element may have ended meanwhile, and deleting none fails. */
export function changeScript(role: Role, nics: readonly string[], steps: readonly Step[], now: number): string {
  const leaving = steps.filter((step) => step.kind !== 'add').map((step) => step.interval)
  const coming = steps.filter((step) => step.kind !== 'delete').map((step) => step.interval)
  return (
    skeleton(role, nics) +
    elements('add', role, leaving, () => '') +
    elements('delete', role, leaving, () => '') +
    elements('add', role, coming, (interval) => timeout(interval, now))
  )
}

/** The whole table anew, in one transaction: what holds whatever stood there before. */
export const rebuildScript = (role: Role, nics: readonly string[], desired: readonly Interval[], now: number): string =>
  `add table ${familyOf(role)} ${tableName}\ndelete table ${familyOf(role)} ${tableName}\n${skeleton(role, nics)}${elements(
    'add',
    role,
    desired.filter((interval) => interval.until > now),
    (interval) => timeout(interval, now),
  )}`

const timeout = (interval: Interval, now: number): string =>
  ` timeout ${Math.max(1, Math.ceil(interval.until - now))}ms`

function elements(
  verb: 'add' | 'delete',
  role: Role,
  intervals: readonly Interval[],
  suffix: (interval: Interval) => string,
): string {
  if (intervals.length === 0) return ''
  const list = intervals.map((interval) => rangeText(interval) + suffix(interval)).join(',')
  return `${verb} element ${familyOf(role)} ${tableName} ${setName} { ${list} }\n`
}
