/**
 * What kind of name a DNS query asks for: its type and the shape of its first label, never the name itself. Undefined where the
 * payload is no query (RFC 1035, 4.1).
 */
export function nameKind(payload: Buffer): string | undefined {
  if (payload.length < 17 || (payload[2] as number) & 0x80 || payload.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = 12
  for (;;) {
    const size = payload[at]
    if (size === undefined || size > 63) return undefined
    at++
    if (size === 0) break
    if (at + size > payload.length) return undefined
    labels.push(
      payload
        .subarray(at, at + size)
        .toString('latin1')
        .toLowerCase(),
    )
    at += size
  }
  if (at + 2 > payload.length) return undefined
  const type = typeNames[payload.readUInt16BE(at)] ?? 'other'
  return `${type} ${shapeOf(labels)}`
}

const typeNames: Record<number, string> = { 1: 'A', 12: 'PTR', 15: 'MX', 16: 'TXT', 28: 'AAAA', 33: 'SRV', 65: 'HTTPS' }

function shapeOf(labels: readonly string[]): string {
  const [first = ''] = labels
  if (labels.at(-1) === 'arpa') return 'reverse'
  if (labels.at(-1) === 'local') return 'local'
  if (labels.length === 1) return 'bare'
  if (first.startsWith('_')) return 'service'
  // Long labels of many different characters are made by programs.
  return first.length >= 20 && new Set(first).size >= 12 ? 'generated' : 'plain'
}
