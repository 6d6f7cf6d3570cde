/** An address and the MAC that says it has it. */
export type Claim = { ip: string; mac: string }

const macPattern = '[0-9a-f]{2}(?::[0-9a-f]{2}){5}'
const ipPattern = '\\d{1,3}(?:\\.\\d{1,3}){3}'
const head = new RegExp(`^(?:\\S+ )?(${macPattern}) > ${macPattern}, ethertype ARP`, 'i')
const request = new RegExp(` who-has ${ipPattern}(?: \\(${macPattern}\\))? tell (${ipPattern})`, 'i')
const answer = new RegExp(` Reply (${ipPattern}) is-at (${macPattern})`, 'i')

/**
 * The claim in a line of `tcpdump -l -n -e arp`, or undefined. As RFC 5227, 2.4 has it, a claim is any ARP packet with
 * that sender address; a probe (sender 0.0.0.0) only asks, and the decoy's answer to it keeps the asker off.
 */
export function claimIn(line: string): Claim | undefined {
  const sender = head.exec(line)?.[1]
  if (!sender) return undefined
  const told = answer.exec(line)
  if (told) return { ip: told[1] as string, mac: (told[2] as string).toLowerCase() }
  const ip = request.exec(line)?.[1]
  return ip === undefined || ip === '0.0.0.0' ? undefined : { ip, mac: sender.toLowerCase() }
}

/** The MAC in what `arping` printed of an answer, or undefined. */
export const answererIn = (output: string): string | undefined =>
  new RegExp(`reply from ${ipPattern} \\[(${macPattern})\\]`, 'i').exec(output)?.[1]?.toLowerCase()
