const versionNames: Record<number, string> = { 772: '1.3', 771: '1.2', 770: '1.1', 769: '1.0', 768: 'ssl3' }
const supportedVersions = 43

/**
 * What a TLS server chose, as `1.3 1302`: version and cipher suite of the ServerHello that begins its data (RFC 8446,
 * 4.1.3). Undefined where there is none, or it is cut.
 */
export function chosenByServer(data: Buffer): string | undefined {
  if (data.length < 44 || data[0] !== 22 || data[5] !== 2) return undefined
  const end = 9 + data.readUIntBE(6, 3)
  if (end > data.length) return undefined
  let version = data.readUInt16BE(9)
  let at = 44 + (data[43] as number)
  if (at + 3 > end) return undefined
  const cipher = data.readUInt16BE(at)
  at += 3
  // The version of TLS 1.3 stands in an extension only.
  for (at += 2; at + 4 <= end; at += 4 + data.readUInt16BE(at + 2))
    if (data.readUInt16BE(at) === supportedVersions && at + 6 <= end) version = data.readUInt16BE(at + 4)
  return `${versionNames[version] ?? 'unknown'} ${cipher.toString(16).padStart(4, '0')}`
}
