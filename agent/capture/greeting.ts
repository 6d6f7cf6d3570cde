import { chosenByServer } from './server-hello.ts'
import { hassh } from './ssh-hello.ts'
import { helloPrints } from './tls-hello.ts'

/** What the first bytes of a side tell of it. `rest`: the bytes while they may still become a hello. */
export type Told = { kind?: string; ja3?: string; isHello: boolean; rest: Buffer | undefined }

const mostBegun = 4096
const handshakeRecord = 22

/** The bytes so far with those that came, no more than are looked at. */
export const begunBytes = (begun: Buffer, payload: Buffer): Buffer =>
  Buffer.concat([begun, payload.subarray(0, Math.max(0, mostBegun + 1 - begun.length))])

/** JA4 and JA3 of a TLS client, or HASSH of an SSH client. */
export function tellAsker(bytes: Buffer): Told {
  const prints = bytes[0] === handshakeRecord ? helloPrints(bytes) : undefined
  if (prints) return { kind: prints.ja4, ja3: prints.ja3, isHello: true, rest: undefined }
  return told(bytes[0] === handshakeRecord ? undefined : hassh(bytes, 'client'), bytes)
}

/** What a TLS server chose, or HASSH of an SSH server. */
export const tellAnswerer = (bytes: Buffer): Told =>
  told(bytes[0] === handshakeRecord ? chosenByServer(bytes) : hassh(bytes, 'server'), bytes)

function told(kind: string | undefined, bytes: Buffer): Told {
  if (kind !== undefined) return { kind, isHello: false, rest: undefined }
  // What begins as neither becomes neither: its bytes are not kept.
  const may = bytes[0] === handshakeRecord || bytes[0] === 83
  return { isHello: false, rest: bytes.length <= mostBegun && may ? bytes : undefined }
}
